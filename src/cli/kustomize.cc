#include "cli/kustomize.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <iterator>
#include <string_view>
#include <utility>

#include "api/object.h"
#include "api/yaml_reader.h"
#include "cli/input_files.h"
#include "cli/json_path.h"

namespace weft::cli {
namespace {

using api::Json;
namespace fs = std::filesystem;

constexpr std::string_view kNames[] = {"kustomization.yaml", "kustomization.yml", "Kustomization"};
constexpr int kDeepest = 16;

std::unexpected<Error> wrong(const std::string& file, const std::string& text) {
  return fail(Error::config(Code::kInvalid, file + ": " + text));
}

Result<void> only(const std::string& file, const std::string& where, const Json& map,
                  std::initializer_list<std::string_view> known) {
  if (!map.is_object()) return wrong(file, where + "must be a map");
  for (const auto& [key, value] : map.items())
    if (std::ranges::find(known, key) == known.end())
      return wrong(file,
                   where + key +
                       ": weft does not know this field of a kustomization; 'kubectl kustomize FOLDER | "
                       "weft apply -f -' does");
  return {};
}

Result<std::vector<Kustomized>> read_documents(const std::string& file) {
  WEFT_TRY(const std::string text, read_input_file(file));
  api::YamlStream stream = api::read_yaml(text);
  if (stream.fault) return wrong(file + ":" + std::to_string(stream.fault->line), stream.fault->text);
  std::vector<Kustomized> found;
  for (api::Document& each : stream.documents) found.push_back({file, std::move(each.value)});
  return found;
}

void set_namespace(Json& object, const std::string& ns) {
  if (!object.is_object() || (object.contains("metadata") && !object["metadata"].is_object())) return;
  const api::KindInfo* kind = api::find_kind(text_at(object, "apiVersion"), text_at(object, "kind"));
  if (kind != nullptr ? kind->namespaced : text_at(object, "kind") != "Namespace")
    object["metadata"]["namespace"] = ns;
}

void rename_images(Json& object, const Json& image) {
  const Json::json_pointer containers(text_at(object, "kind") == "Pod" ? "/spec/containers"
                                                                       : "/spec/template/spec/containers");
  if (!object.contains(containers) || !object[containers].is_array()) return;
  for (Json& container : object[containers]) {
    const std::string old = text_at(container, "image");
    // A colon before a slash is that of a registry's port.
    const std::string undigested = old.substr(0, old.find('@'));
    const auto slash = undigested.rfind('/'), colon = undigested.rfind(':');
    const bool tagged = colon != undigested.npos && (slash == undigested.npos || colon > slash);
    const std::string name = undigested.substr(0, tagged ? colon : undigested.size());
    if (name != text_at(image, "name")) continue;
    const std::string new_name = text_at(image, "newName"), new_tag = text_at(image, "newTag");
    container["image"] =
        (new_name.empty() ? name : new_name) + (!new_tag.empty() ? ":" + new_tag : old.substr(name.size()));
  }
}

Result<void> apply_patch(const std::string& file, Json& object, const Json& patch) {
  const std::string kind = text_at(patch, "target.kind"), name = text_at(patch, "target.name");
  if ((!kind.empty() && kind != text_at(object, "kind")) ||
      (!name.empty() && name != text_at(object, "metadata.name")))
    return {};
  const api::YamlStream steps = api::read_yaml(text_at(patch, "patch"));
  if (steps.fault || steps.documents.size() != 1 || !steps.documents[0].value.is_array())
    return wrong(file, "patches: patch must be a list of JSON patches: [{op, path, value}]");
  try {
    object = object.patch(steps.documents[0].value);
  } catch (const Json::exception& error) {
    return wrong(file, "patches: does not fit " + text_at(object, "kind") + " " +
                           text_at(object, "metadata.name") + ": " + error.what());
  }
  return {};
}

Result<std::vector<Kustomized>> render(const fs::path& folder, int depth);

Result<std::vector<Kustomized>> read_resources(const std::string& file, const fs::path& folder,
                                               const Json& resources, int depth) {
  std::vector<Kustomized> found;
  for (const Json& each : resources) {
    const std::string name = each.is_string() ? each.get<std::string>() : "";
    if (name.empty()) return wrong(file, "resources: each must be a file or a folder");
    if (name.find("://") != name.npos)
      return wrong(file, "resources: " + name + ": weft fetches nothing; download it");
    const fs::path place = (folder / name).lexically_normal();
    std::error_code ignored;
    WEFT_TRY(std::vector<Kustomized> part,
             fs::is_directory(place, ignored) ? render(place, depth + 1) : read_documents(place.string()));
    std::ranges::move(part, std::back_inserter(found));
  }
  return found;
}

/// kustomize reads both parts of a target as regular expressions, of which a dot alone is in names, too.
bool is_pattern(const std::string& text) { return text.find_first_of("*+?|()[]{}^$\\") != text.npos; }

Result<void> check_parts(const std::string& file, const Json& settings) {
  for (const Json& image : list_at(settings, "images"))
    WEFT_CHECK(only(file, "images: ", image, {"name", "newName", "newTag"}));
  for (const Json& patch : list_at(settings, "patches")) {
    WEFT_CHECK(only(file, "patches: ", patch, {"target", "patch"}));
    WEFT_CHECK(only(file, "patches: target: ", at(patch, "target"), {"kind", "name"}));
    for (const char* part : {"kind", "name"})
      if (const std::string text = text_at(patch, std::string("target.") + part); is_pattern(text))
        return wrong(file, std::string("patches: target: ") + part + ": " + text +
                               ": patterns are not supported by weft yet; write a patch for each object");
  }
  return {};
}

Result<std::vector<Kustomized>> render(const fs::path& folder, int depth) {
  std::string file;
  std::error_code ignored;
  for (std::string_view name : kNames)
    if (file.empty() && fs::exists(folder / name, ignored)) file = (folder / name).string();
  if (file.empty())
    return fail(Error::config(Code::kNotFound, folder.string() + ": there is no kustomization.yaml in it"));
  if (depth > kDeepest)
    return wrong(file, "kustomizations that name each other, or more than 16 levels deep");
  WEFT_TRY(const std::vector<Kustomized> documents, read_documents(file));
  if (documents.size() != 1) return wrong(file, "must be one document");
  const Json& settings = documents[0].value;
  WEFT_CHECK(only(file, "", settings, {"apiVersion", "kind", "resources", "namespace", "images", "patches"}));
  WEFT_CHECK(check_parts(file, settings));
  WEFT_TRY(std::vector<Kustomized> found,
           read_resources(file, folder, list_at(settings, "resources"), depth));
  const std::string ns = text_at(settings, "namespace");
  for (Kustomized& each : found) {
    if (!each.value.is_object()) return wrong(each.file, "holds something that is not an object");
    if (!ns.empty()) set_namespace(each.value, ns);
    for (const Json& image : list_at(settings, "images")) rename_images(each.value, image);
    for (const Json& patch : list_at(settings, "patches")) WEFT_CHECK(apply_patch(file, each.value, patch));
  }
  return found;
}

}  // namespace

bool is_kustomization(const std::string& file_name) {
  return std::ranges::find(kNames, file_name) != std::end(kNames);
}

Result<std::vector<Kustomized>> kustomize(const std::string& folder) { return render(folder, 0); }

}  // namespace weft::cli
