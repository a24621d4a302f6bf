#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "api/yaml_reader.h"
#include "inject/json_access.h"
#include "inject/manifest.h"
#include "inject/names.h"
#include "inject/previous_injection.h"

namespace weft::inject {
namespace {

using api::Json;
namespace fs = std::filesystem;

struct Sample {
  std::string name, text;
};

/// Every manifest of the samples and of the tests, and each in other line ends, with a byte order mark, and
/// without its last line end.
std::vector<Sample> samples() {
  std::vector<Sample> all;
  for (const char* folder : {"samples", "src"})
    for (const fs::directory_entry& entry :
         fs::recursive_directory_iterator(fs::path(WEFT_SOURCE_DIR) / folder)) {
      const std::string path = entry.path().string();
      const bool manifest = path.ends_with(".yaml") || path.find("inject/testdata/") != path.npos;
      if (!entry.is_regular_file() || !manifest) continue;
      std::ifstream file(path, std::ios::binary);
      const std::string text(std::istreambuf_iterator<char>(file), {});
      std::string other_ends;
      for (const char c : text) other_ends += c == '\n' ? std::string("\r\n") : std::string(1, c);
      all.push_back({path, text});
      all.push_back({path + " (CRLF)", other_ends});
      all.push_back({path + " (byte order mark)", "\xef\xbb\xbf" + text});
      all.push_back({path + " (no last line end)", text.substr(0, text.find_last_not_of('\n') + 1)});
    }
  return all;
}

std::vector<ManifestOptions> forms() {
  std::vector<ManifestOptions> all(4);
  for (ManifestOptions& each : all) each.keep_api_versions = true;
  all[1].settings.native = false;
  all[2].settings.native = false;
  all[2].settings.hold_application = false;
  all[2].settings.stale_endpoint_wait = 0;
  all[3].settings.revision = "canary";
  all[3].settings.image_pull_secrets = {"registry", "mesh"};
  all[3].settings.merge_metrics = false;
  all[3].settings.rewrite_probes = false;
  return all;
}

Manifest injected(const std::string& text, const std::string& name, const ManifestOptions& options) {
  auto made = inject_manifest(text, name, options);
  EXPECT_TRUE(made) << (made ? "" : made.error().text);
  return made ? std::move(*made) : Manifest{};
}

std::vector<Json> values(const std::string& text) {
  std::vector<Json> all;
  std::string part;
  const auto take = [&] {
    for (api::Document& each : api::read_yaml(part).documents) all.push_back(std::move(each.value));
    part.clear();
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    if (text.compare(at, 3, "---") == 0) take();
    part += text.substr(at, end - at);
    at = end;
  }
  take();
  return all;
}

/// Takes every injection in `value` back.
void strip(Json& value) {
  if (value.is_object() && value.contains("spec") && value["spec"].is_object() &&
      !json::at(json::at(json::at(value, "metadata"), "annotations"), kStatusAnnotation).is_null())
    undo_injection(value["metadata"], value["spec"]);
  for (Json& each : value)
    if (each.is_structured()) strip(each);
}

/// Without what says nothing, and whatever the order of members.
nlohmann::json plain(const Json& value) {
  if (!value.is_structured()) return value;
  nlohmann::json out = value.is_array() ? nlohmann::json::array() : nlohmann::json::object();
  for (const auto& [name, each] : value.items()) {
    nlohmann::json item = plain(each);
    if (value.is_array())
      out.push_back(std::move(item));
    else if (!item.is_null() && !(item.is_structured() && item.empty()))
      out[name] = std::move(item);
  }
  return out;
}

std::vector<nlohmann::json> plain(const std::vector<Json>& all) {
  std::vector<nlohmann::json> out;
  for (const Json& each : all) out.push_back(plain(each));
  return out;
}

std::vector<std::string> comments(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t at = 0; (at = text.find("# ", at)) != text.npos; ++at)
    all.push_back(text.substr(at, text.find_first_of("\r\n", at) - at));
  return all;
}

TEST(Injection, leaves_every_comment_in_its_order_and_rewrites_nothing) {
  for (const Sample& sample : samples())
    for (const ManifestOptions& options : forms()) {
      const Manifest made = injected(sample.text, sample.name, options);
      EXPECT_EQ(comments(made.text), comments(sample.text)) << sample.name << "\n" << made.text;
      for (const std::string& note : made.notes)
        EXPECT_EQ(note.find("rewritten"), note.npos) << sample.name << ": " << note;
      if (made.injected == 0) EXPECT_EQ(made.text, sample.text) << sample.name;
    }
}

TEST(Injection, keeps_the_line_ends_of_the_file) {
  for (const Sample& sample : samples()) {
    if (sample.name.find("(CRLF)") == sample.name.npos) continue;
    const Manifest made = injected(sample.text, sample.name, {});
    EXPECT_EQ(std::ranges::count(made.text, '\n'), std::ranges::count(made.text, '\r')) << sample.name;
  }
}

TEST(Injection, can_be_taken_back_to_what_was_there) {
  int injections = 0;
  for (const Sample& sample : samples())
    for (const ManifestOptions& options : forms()) {
      const Manifest made = injected(sample.text, sample.name, options);
      injections += made.injected;
      std::vector<Json> stripped = values(made.text);
      for (Json& each : stripped) strip(each);
      EXPECT_EQ(plain(stripped), plain(values(sample.text))) << sample.name;
    }
  EXPECT_GT(injections, 100);
}

TEST(Injection, done_again_gives_the_same_bytes) {
  for (const Sample& sample : samples())
    for (const ManifestOptions& options : forms()) {
      const Manifest once = injected(sample.text, sample.name, options);
      EXPECT_EQ(injected(once.text, sample.name, options).text, once.text) << sample.name;
    }
}

TEST(Injection, with_other_settings_is_as_if_it_were_the_first) {
  for (const Sample& sample : samples())
    for (const ManifestOptions& previous : forms()) {
      const std::string before = injected(sample.text, sample.name, previous).text;
      for (const ManifestOptions& options : forms()) {
        const Manifest made = injected(before, sample.name, options);
        EXPECT_EQ(plain(values(made.text)), plain(values(injected(sample.text, sample.name, options).text)))
            << sample.name;
        EXPECT_EQ(comments(made.text), comments(sample.text)) << sample.name;
      }
    }
}

}  // namespace
}  // namespace weft::inject
