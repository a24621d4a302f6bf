#include "cli/input_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "api/parse.h"
#include "api/yaml.h"
#include "cli/kustomize.h"
#include "control/translation/object_check.h"

namespace weft::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::uintmax_t kMaxFile = 10u << 20;

bool holds_objects(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

template <class Iterator>
void collect(const fs::path& folder, std::vector<std::string>& files, std::error_code& error) {
  for (Iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored) && holds_objects(entry->path()))
      files.push_back(entry->path().string());
  }
}

/// The files that one -f stands for.
Result<std::vector<std::string>> files_of(Console& console, const std::string& given, bool recursive) {
  std::error_code error;
  if (given == "-" || !fs::is_directory(given, error)) return std::vector<std::string>{given};
  std::vector<std::string> files;
  if (recursive)
    collect<fs::recursive_directory_iterator>(given, files, error);
  else
    collect<fs::directory_iterator>(given, files, error);
  if (error) return fail(Error::config(Code::kInvalid, given + ": " + error.message()));
  if (files.empty())
    return fail(
        Error::config(Code::kNotFound, given + ": there is no *.yaml, *.yml or *.json in this folder" +
                                           (recursive ? "" : "; -R looks into the folders below too")));
  std::ranges::sort(files);
  std::erase_if(files, [&console](const std::string& file) {
    const fs::path path(file);
    if (!is_kustomization(path.filename().string())) return false;
    console.err(file + " is passed over; 'weft apply -k " + path.parent_path().string() + "' applies it\n");
    return true;
  });
  return files;
}

}  // namespace

Result<std::string> read_input_file(const std::string& name) {
  if (name.starts_with("https://") || name.starts_with("http://"))
    return fail(Error::config(
        Code::kInvalid,
        name + ": weft fetches nothing from the network; type 'curl -fsSL " + name + " | weft apply -f -'"));
  std::error_code error;
  const auto size = fs::file_size(name, error);
  if (!error && size > kMaxFile) return fail(Error::config(Code::kTooLarge, name + ": larger than 10 MB"));
  errno = 0;
  std::ifstream file(name, std::ios::binary);
  std::string text;
  char buffer[16384];
  while (file.read(buffer, sizeof buffer) || file.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMaxFile) return fail(Error::config(Code::kTooLarge, name + ": larger than 10 MB"));
  }
  if (!file.is_open() || file.bad())
    return fail(Error::config(Code::kNotFound, name + ": " + errno_text(errno)));
  return text;
}

namespace {

class InputReader {
 public:
  InputReader(Console& console, const InputOptions& options) : console_(console), options_(options) {}

  void read(const std::string& name) {
    auto text = read_input_text(console_, name);
    if (!text) return problem(text.error().text);
    const std::string shown = name == "-" ? "standard input" : name;
    api::Parsed parsed = api::parse_objects(*text, shown, options_.ns, control::check_object);
    if (parsed.problems.empty() && parsed.objects.empty()) empty_.push_back(shown);
    take(std::move(parsed));
  }

  void read_kustomization(const std::string& folder) {
    auto made = kustomize(folder);
    if (!made) return problem(made.error().text);
    for (const Kustomized& each : *made) {
      api::Parsed parsed =
          api::parse_objects(api::to_yaml(each.value), each.file, options_.ns, control::check_object);
      // What was changed stands on no line of the file.
      for (api::Problem& problem : parsed.problems) problem.line = 0;
      take(std::move(parsed));
    }
  }

  /// A file without objects among others is passed over with a message, as kubectl does without one.
  Result<std::vector<InputObject>> result() {
    for (const std::string& name : empty_) {
      const std::string text = name + ": there is no object in it";
      if (objects_.empty())
        problem(text);
      else
        console_.err(text + "\n");
    }
    if (!problems_.empty()) return fail(Error::config(Code::kInvalid, problems_));
    return std::move(objects_);
  }
  void problem(const std::string& text) { problems_ += (problems_.empty() ? "" : "\n") + text; }

 private:
  void take(api::Parsed parsed) {
    for (const api::Problem& each : parsed.problems) problem(each.to_string());
    for (const std::string& note : parsed.notes) console_.err(note + "\n");
    if (!parsed.problems.empty()) return;
    for (std::size_t i = 0; i < parsed.objects.size(); ++i)
      objects_.push_back(
          {std::move(parsed.objects[i]), std::move(parsed.written.at(i)), std::move(parsed.origins.at(i))});
  }

  Console& console_;
  const InputOptions& options_;
  std::vector<InputObject> objects_;
  std::string problems_;
  std::vector<std::string> empty_;
};

}  // namespace

Result<std::string> read_input_text(Console& console, const std::string& name) {
  return name == "-" ? console.read_input() : read_input_file(name);
}

Result<std::vector<InputObject>> read_input_objects(Console& console, const InputOptions& options) {
  InputReader reader(console, options);
  for (const std::string& given : options.files) {
    auto files = files_of(console, given, options.recursive);
    if (!files)
      reader.problem(files.error().text);
    else
      for (const std::string& file : *files) reader.read(file);
  }
  if (!options.kustomization.empty()) reader.read_kustomization(options.kustomization);
  return reader.result();
}

}  // namespace weft::cli
