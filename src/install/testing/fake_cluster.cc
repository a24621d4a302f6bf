#include "install/testing/fake_cluster.h"

#include <charconv>

#include "base/strings.h"
#include "install/json_access.h"
#include "install/names.h"

namespace weft::install::testing {
namespace {

using api::Json;

std::unexpected<Error> absent() { return fail(Error::config(Code::kNotFound, "not found")); }

std::string decoded(std::string_view text) {
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = static_cast<unsigned char>(text[i]);
    if (text[i] == '%' && i + 2 < text.size()) {
      std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
      i += 2;
    }
    made += static_cast<char>(byte);
  }
  return made;
}

std::string parameter(std::string_view query, std::string_view name) {
  for (const std::string_view each : split(query, '&'))
    if (each.starts_with(name) && each.substr(name.size()).starts_with("="))
      return decoded(each.substr(name.size() + 1));
  return {};
}

/// "key=value" or "key!=value".
bool is_selected(const Json& object, const std::string& selector) {
  if (selector.empty()) return true;
  const auto equals = selector.find('=');
  const bool negated = equals > 0 && selector[equals - 1] == '!';
  const std::string has = label_of(object, selector.substr(0, equals - (negated ? 1 : 0)).c_str());
  return (has == selector.substr(equals + 1)) != negated;
}

/// Whether the object at `path` is in `collection`: in one namespace, in all, or without any.
bool is_in(std::string_view path, std::string_view collection) {
  const std::string_view plural = collection.substr(collection.rfind('/') + 1);
  const std::string_view parent = path.substr(0, path.rfind('/'));
  if (parent == collection) return true;
  const std::string group(collection.substr(0, collection.size() - plural.size()));
  return collection.find("/namespaces/") == collection.npos && path.starts_with(group + "namespaces/") &&
         parent.ends_with("/" + std::string(plural));
}

bool is_collection(std::string_view path) {
  const auto parts = split(path, '/');
  // "", "api", "v1" or "", "apis", group, version; then "namespaces" and its name, if the rest is longer.
  const std::size_t root = parts.size() > 1 && parts[1] == "api" ? 3 : 4;
  return (parts.size() - root) % 2 == 1;
}

}  // namespace

void FakeCluster::put(const std::string& path, Json object) {
  const auto parts = split(path, '/');
  object["metadata"]["name"] = std::string(parts.back());
  for (std::size_t i = 0; i + 2 < parts.size(); ++i)
    if (parts[i] == "namespaces") object["metadata"]["namespace"] = std::string(parts[i + 1]);
  if (!object["metadata"].contains("uid")) object["metadata"]["uid"] = "uid-" + std::to_string(++uids_);
  objects_[path] = std::move(object);
}

net::Task<Result<Json>> FakeCluster::call(store::RawRequest request) { co_return respond(request); }

Result<Json> FakeCluster::respond(const store::RawRequest& request) {
  for (const auto& [path, error] : faults)
    if (request.path.starts_with(path)) return fail(error);
  if (request.path == "/version") return Json{{"gitVersion", version}, {"major", "1"}, {"minor", minor}};
  if (request.method == "POST") {
    const std::string resource = json::string(request.body, {"spec", "resourceAttributes", "resource"});
    return Json{{"status", {{"allowed", !denied.contains(resource)}}}};
  }
  if (request.method == "DELETE") return remove(request);
  if (const auto document = documents.find(request.path); document != documents.end())
    return document->second;
  const std::string_view path(request.path);
  const auto mark = path.find('?');
  if (is_collection(path.substr(0, mark)))
    return list(path.substr(0, mark), mark == path.npos ? "" : path.substr(mark + 1));
  const auto found = objects_.find(request.path);
  if (found == objects_.end()) return absent();
  return found->second;
}

Result<Json> FakeCluster::remove(const store::RawRequest& request) {
  const auto found = objects_.find(request.path);
  if (found == objects_.end()) return absent();
  const std::string wanted = json::string(request.body, {"preconditions", "uid"});
  if (!wanted.empty() && wanted != json::string(found->second, {"metadata", "uid"}))
    return fail(Error::config(Code::kConflict, "the uid in the precondition is another"));
  if (request.body.contains("dryRun")) {
    asked_to_delete.push_back(request.path);
    if (held.contains(request.path)) return fail(Error::config(Code::kDenied, "it is held"));
    return Json::object();
  }
  deleted.push_back(request.path);
  if (!held.contains(request.path)) objects_.erase(found);
  return Json::object();
}

Json FakeCluster::list(std::string_view collection, std::string_view query) const {
  const std::string labels = parameter(query, "labelSelector");
  const std::string name = parameter(query, "fieldSelector");
  const std::string more = parameter(query, "continue");
  Json items = Json::array(), metadata = Json::object();
  for (const auto& [path, object] : objects_) {
    if (!is_in(path, collection) || !is_selected(object, labels)) continue;
    if (!name.empty() && name != "metadata.name=" + name_of(object)) continue;
    if (!more.empty() && path < more) continue;
    if (items.size() == page) {
      metadata["continue"] = path;
      break;
    }
    items.push_back(object);
  }
  return {{"metadata", std::move(metadata)}, {"items", std::move(items)}};
}

Json labelled(Json object, const std::string& label, const std::string& value) {
  object["metadata"]["labels"][label] = value;
  return object;
}

Json ours(Json object) { return labelled(std::move(object), kPartOfLabel, kPartOf); }

}  // namespace weft::install::testing
