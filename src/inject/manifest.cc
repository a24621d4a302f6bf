#include "inject/manifest.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <system_error>
#include <thread>

#include "api/yaml_edit.h"
#include "api/yaml_reader.h"
#include "base/log.h"
#include "inject/api_versions.h"
#include "inject/kind_of.h"
#include "inject/names.h"
#include "inject/workload.h"
#include "yaml/document.h"
#include "yaml/joined_files.h"

namespace weft::inject {
namespace {

using api::Json;

constexpr std::string_view kOurs[] = {kInitContainer, kProxyContainer};

/// Fewer documents are not worth a thread.
constexpr std::size_t kPartsPerThread = 32;

/// A document's bytes, without the line of three dashes before it.
struct Part {
  std::string_view separator, body;
  int first_line = 1;
};

std::string_view without_mark(std::string_view line) {
  if (line.starts_with(yaml::kByteOrderMark)) line.remove_prefix(yaml::kByteOrderMark.size());
  return line;
}

bool is_separator(std::string_view line) {
  return line.starts_with("---") &&
         (line.size() == 3 || line.substr(3).find_first_not_of(" \t\r") == line.npos || line[3] == ' ' ||
          line[3] == '\t');
}

/// How much of a separator's line is not content: all of it unless a value begins there.
std::size_t separator_length(std::string_view line) {
  const auto content = line.find_first_not_of(" \t\r", 3);
  return content == line.npos || line[content] == '#' ? line.size() : 3;
}

/// "..." ends a document; what follows is another, with or without a line of dashes.
bool is_end(std::string_view line) {
  return line.starts_with("...") &&
         line.substr(3, line.find('#', 3) - 3).find_first_not_of(" \t\r") == line.npos;
}

/// A line of three dashes begins a document wherever it stands: no text of YAML may hold one.
std::vector<Part> split_at_lines(std::string_view text) {
  std::vector<Part> parts(1);
  std::size_t body = text.size() - without_mark(text).size();
  parts.front().separator = text.substr(0, body);
  int line_number = 1;
  for (std::size_t at = body; at < text.size(); ++line_number) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::size_t next = std::min(end + 1, text.size());
    const std::string_view line = text.substr(at, end - at);
    if (const std::string_view dashes = without_mark(line); is_separator(dashes)) {
      parts.back().body = text.substr(body, at - body);
      const std::size_t length = line.size() - dashes.size() + separator_length(dashes);
      body = length == line.size() ? next : at + length;
      const bool whole = body == next;
      parts.push_back({text.substr(at, body - at), {}, whole ? line_number + 1 : line_number});
    } else if (is_end(line)) {
      parts.back().body = text.substr(body, next - body);
      body = next;
      parts.push_back({{}, {}, line_number + 1});
    }
    at = next;
  }
  parts.back().body = text.substr(body);
  for (Part& part : parts) {
    const std::size_t mark = part.body.size() - without_mark(part.body).size();
    if (mark == 0) continue;
    // Right behind the separator, if there is one.
    const char* begin = part.separator.empty() ? part.body.data() : part.separator.data();
    part.separator = {begin, part.separator.size() + mark};
    part.body.remove_prefix(mark);
  }
  return parts;
}

/// JSON objects may stand one after the other with nothing between them.
std::vector<Part> split_documents(std::string_view text) {
  std::vector<Part> parts;
  for (Part part : split_at_lines(text)) {
    while (const std::size_t end = yaml::end_of_first_json(part.body)) {
      const std::string_view first = part.body.substr(0, end);
      parts.push_back({part.separator, first, part.first_line});
      part.separator = {};
      part.first_line += static_cast<int>(std::ranges::count(first, '\n'));
      part.body.remove_prefix(end);
    }
    parts.push_back(part);
  }
  return parts;
}

/// Nothing but white space, comments and directives.
bool is_blank(std::string_view body) {
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t end = std::min(body.find('\n', at), body.size());
    const auto first = body.find_first_not_of(" \t\r", at);
    if (first < end && body[first] != '#' && body[at] != '%' && body.substr(at, 3) != "...") return false;
    at = end + 1;
  }
  return true;
}

/// Injects one document; others may be in work on other threads.
class Injection {
 public:
  Injection(const std::string& file_name, const ManifestOptions& options)
      : file_name_(file_name), options_(options) {}

  Result<Manifest> take(const Part& part) {
    result_.text = part.separator;
    if (is_blank(part.body)) return as_it_is(part);
    api::YamlStream stream = api::read_yaml(part.body);
    if (stream.fault && stream.fault->no_json && !is_concerned(part.body)) return as_it_is(part);
    if (stream.fault)
      return reject(part.first_line + std::max(stream.fault->line, 1) - 1, stream.fault->text);
    if (stream.documents.empty()) return as_it_is(part);
    if (stream.documents.size() > 1)
      return reject(part.first_line + std::max(stream.documents[1].lines.line, 1) - 1,
                    "another document begins here; write a line of three dashes before it");
    WEFT_CHECK(inject(part, stream.documents.front().value));
    return std::move(result_);
  }

 private:
  std::unexpected<Error> reject(int line, const std::string& text) const {
    return fail(Error::config(Code::kInvalid, file_name_ + ":" + std::to_string(line) + ": " + text));
  }

  Manifest as_it_is(const Part& part) {
    result_.text += part.body;
    return std::move(result_);
  }

  /// True also when it cannot be told.
  bool is_concerned(std::string_view body) const {
    const auto found = kind_of(body);
    return !found || may_have_pods(found->api_version, found->kind) ||
           (!options_.keep_api_versions && is_removed(found->api_version, found->kind));
  }

  Result<void> inject(const Part& part, const Json& before) {
    Json after = before;
    if (!options_.keep_api_versions)
      for (std::string& note : update_api_version(after)) result_.notes.push_back(std::move(note));
    auto looked = inject_object(after, options_.default_namespace, options_.settings);
    if (!looked)
      return reject(line_of(part, looked.error()), looked.error().object + ": " + looked.error().text);
    for (const Looked& each : *looked) {
      result_.injected += each.outcome.injected ? 1 : 0;
      if (!each.outcome.injected)
        result_.notes.push_back(each.object + ": no sidecar: " + each.outcome.reason);
      for (const std::string& warning : each.outcome.warnings)
        result_.notes.push_back(each.object + ": " + warning);
    }
    api::Rewritten made = api::rewrite(part.body, before, after, kOurs);
    if (made.rewritten)
      result_.notes.push_back(
          file_name_ + ":" + std::to_string(part.first_line) +
          ": this document could not be edited in place and is rewritten, without comments");
    result_.text += made.text;
    return {};
  }

  /// An annotation is named by its own line, anything else by that of its pod template.
  static int line_of(const Part& part, const WorkloadError& error) {
    const auto document = yaml::Document::parse(part.body, "");
    if (!document) return part.first_line;
    std::string path = error.path;
    constexpr std::string_view kAnnotation = "annotation ";
    if (error.text.starts_with(kAnnotation)) {
      const std::string key =
          error.text.substr(kAnnotation.size(), error.text.find(':') - kAnnotation.size());
      path += (path.empty() ? "" : ".") + std::string("metadata.annotations[") + key + "]";
    } else {
      path += (path.empty() ? "" : ".") + error.text.substr(0, error.text.find(": "));
    }
    return part.first_line + document->line_of_path(path) - 1;
  }

  const std::string& file_name_;
  const ManifestOptions& options_;
  Manifest result_;
};

}  // namespace

Result<Manifest> inject_manifest(std::string_view text, const std::string& file_name,
                                 const ManifestOptions& options) {
  const std::vector<Part> parts = split_documents(text);
  std::vector<Result<Manifest>> made(parts.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < parts.size(); i = next++)
      made[i] = Injection(file_name, options).take(parts[i]);
  };
  {
    std::vector<std::jthread> helpers;
    const std::size_t max =
        std::min<std::size_t>(std::thread::hardware_concurrency(), parts.size() / kPartsPerThread);
    try {
      for (std::size_t i = 1; i < max; ++i) helpers.emplace_back(work);
    } catch (const std::system_error& error) {
      WEFT_LOG(kDebug, "inject", "no thread is to be had: this one does it all", {"error", error.what()});
    }
    work();
  }
  Manifest all;
  std::size_t size = 0;
  for (const Result<Manifest>& each : made) size += each ? each->text.size() : 0;
  all.text.reserve(size);
  for (Result<Manifest>& each : made) {
    if (!each) return std::unexpected(std::move(each).error());
    all.text += each->text;
    std::ranges::move(each->notes, std::back_inserter(all.notes));
    all.injected += each->injected;
  }
  return all;
}

}  // namespace weft::inject
