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
  void document(const std::shared_ptr<const Document>& document);
  /// `value` stands at `at` in the document, and is the item of that index if it is a List.
  void object(const std::shared_ptr<const Document>& document, const Json& value, const Path& at,
              std::size_t item = Origin::kWhole);
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

/// Whether an item leaves it to its list, a "ServiceList", to say what it is.
bool is_named_by(const Json& list, const Json& item) {
  return text_of(list, "kind") != "List" && item.is_object() && !member(item, "kind") &&
         !member(item, "apiVersion");
}

Json as_item_of(const Json& list, const Json& item) {
  std::string_view kind = text_of(list, "kind");
  kind.remove_suffix(std::string_view("List").size());
  Json made{{"apiVersion", text_of(list, "apiVersion")}, {"kind", kind}};
  made.update(item);
  return made;
}

void FileReader::object(const std::shared_ptr<const Document>& document, const Json& value, const Path& at,
                        std::size_t item) {
  Report report(file_, &document->value, &document->lines);
  Admission admission = take_in(value, Source::kFile, default_namespace_, at, report, check_);
  for (Problem& problem : report.problems()) parsed_.problems.push_back(std::move(problem));
  for (std::string& note : report.notes()) parsed_.notes.push_back(std::move(note));
  if (!admission.taken) return;
  parsed_.objects.push_back(std::move(admission.taken->object));
  parsed_.written.push_back(std::move(admission.taken->written));
  parsed_.origins.emplace_back(std::string(file_), document, item);
}

void FileReader::document(const std::shared_ptr<const Document>& document) {
  Path root;
  if (!is_list(document->value)) return object(document, document->value, root);
  Path items_at = root.at("items");
  const Json& items = document->value["items"];
  for (std::size_t i = 0; i < items.size() && !enough(); ++i)
    if (is_named_by(document->value, items[i]))
      object(document, as_item_of(document->value, items[i]), items_at.at(i), i);
    else
      object(document, items[i], items_at.at(i), i);
}

Parsed FileReader::read(std::string_view text) && {
  YamlStream stream = read_yaml(text);
  for (Document& each : stream.documents)
    if (!enough()) document(std::make_shared<const Document>(std::move(each)));
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
