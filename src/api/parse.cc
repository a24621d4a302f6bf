#include "api/parse.h"

#include "api/intake.h"
#include "api/rules/rules.h"

namespace weft::api {
namespace {

constexpr std::size_t kEnoughProblems = 200;

class FileReader {
 public:
  FileReader(std::string_view file, std::string_view default_namespace, const ObjectCheck& check)
      : file_(file), default_namespace_(default_namespace), check_(check) {}

  Parsed read(std::string_view text) &&;

 private:
  void document(const Document& document);
  /// `value` stands at `at` in the document.
  void object(const Document& document, const Json& value, const Path& at);
  bool enough() const { return parsed_.problems.size() >= kEnoughProblems; }

  std::string_view file_;
  std::string_view default_namespace_;
  const ObjectCheck& check_;
  Parsed parsed_;
};

/// "List", and "ServiceList" of the kinds we know: what kubectl get -o yaml prints.
bool is_list(const Json& value) {
  if (!value.is_object()) return false;
  std::string_view kind = text_of(value, "kind");
  const Json* items = member(value, "items");
  if (!kind.ends_with("List") || !items || !items->is_array()) return false;
  kind.remove_suffix(4);
  return kind.empty() || find_kind(text_of(value, "apiVersion"), kind) != nullptr;
}

void FileReader::object(const Document& document, const Json& value, const Path& at) {
  Report report(file_, &document.value, &document.lines);
  Admission admission = take_in(value, Source::kFile, default_namespace_, at, report, check_);
  for (Problem& problem : report.problems()) parsed_.problems.push_back(std::move(problem));
  for (std::string& note : report.notes()) parsed_.notes.push_back(std::move(note));
  if (!admission.taken) return;
  parsed_.objects.push_back(std::move(admission.taken->object));
  parsed_.written.push_back(std::move(admission.taken->written));
}

void FileReader::document(const Document& document) {
  Path root;
  if (!is_list(document.value)) return object(document, document.value, root);
  Path items_at = root.at("items");
  const Json& items = document.value["items"];
  for (std::size_t i = 0; i < items.size() && !enough(); ++i) object(document, items[i], items_at.at(i));
}

Parsed FileReader::read(std::string_view text) && {
  YamlStream stream = read_yaml(text);
  for (const Document& each : stream.documents)
    if (!enough()) document(each);
  if (stream.fault)
    parsed_.problems.push_back({std::string(file_), stream.fault->line, "", stream.fault->text});
  return std::move(parsed_);
}

}  // namespace

Parsed parse_objects(std::string_view text, std::string_view file_name, std::string_view default_namespace,
                     const ObjectCheck& check) {
  return FileReader(file_name, default_namespace, check).read(text);
}

}  // namespace weft::api
