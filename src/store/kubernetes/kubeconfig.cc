#include <filesystem>
#include <vector>

#include "base/base64.h"
#include "base/strings.h"
#include "store/kubernetes/cluster_access.h"
#include "store/kubernetes/server_url.h"
#include "store/kubernetes/small_file.h"
#include "yaml/document.h"

namespace weft::store {
namespace {

using yaml::Node;

const Node* member(const Node* map, std::string_view name) {
  if (!map || !map->is_mapping()) return nullptr;
  for (const Node* key = map->first; key && key->next; key = key->next->next)
    if (key->text == name) return key->next;
  return nullptr;
}

/// A part of one of the files, with what its messages begin with.
struct Place {
  const yaml::Document* document = nullptr;
  const Node* node = nullptr;
  std::string field;
  int line = 1;  ///< of what it stands in

  Place operator[](std::string_view name) const {
    return {document, member(node, name), field + "." + std::string(name), node ? node->line : line};
  }
  bool given() const { return node && !node->is_null(); }
  std::string text() const { return given() && node->is_scalar() ? std::string(node->text) : ""; }
  std::unexpected<Error> reject(Code code, const std::string& why) const {
    const int where = node ? node->line : line;
    return fail(
        Error::config(code, document->file_name() + ":" + std::to_string(where) + ": " + field + ": " + why));
  }
  /// Relative to the file that it stands in.
  std::string path() const {
    const std::filesystem::path written(text());
    return written.is_absolute()
               ? written.string()
               : (std::filesystem::path(document->file_name()).parent_path() / written).string();
  }
};

struct Files {
  std::vector<yaml::Document> documents;
  std::string names;

  /// The first entry of that name in a list of entries {name: ..., <what>: {...}}.
  Place find(const std::string& list, const std::string& what, const std::string& name) const {
    for (const yaml::Document& document : documents) {
      const Node* entries = member(document.root(), list);
      int index = 0;
      for (const Node* entry = entries && entries->is_sequence() ? entries->first : nullptr; entry;
           entry = entry->next, ++index) {
        const Node* its = member(entry, "name");
        if (!its || its->text != name) continue;
        const Place place{&document, entry, list + "[" + std::to_string(index) + "]", entry->line};
        return place[what];
      }
    }
    return {};
  }
  std::string current_context() const {
    for (const yaml::Document& document : documents) {
      const Node* current = member(document.root(), "current-context");
      if (current && current->is_scalar() && !current->is_null() && !current->text.empty())
        return std::string(current->text);
    }
    return {};
  }
};

std::vector<std::string> names_of_files(const AccessOptions& options) {
  if (!options.kubeconfig.empty()) return {options.kubeconfig};
  std::vector<std::string> names;
  const std::string listed = options.environment("KUBECONFIG");
  for (const std::string_view each : split(listed, ':'))
    if (!each.empty()) names.emplace_back(each);
  if (names.empty() && !options.environment("HOME").empty())
    names.push_back(options.environment("HOME") + "/.kube/config");
  return names;
}

Result<Files> read_files(const AccessOptions& options) {
  const std::vector<std::string> names = names_of_files(options);
  Files files;
  files.names = join(names, ", ");
  for (const std::string& name : names) {
    auto text = read_small_file(name);
    const bool absent = !text && text.error().code == Code::kNotFound && options.kubeconfig.empty();
    if (absent) continue;
    if (!text) return fail(std::move(text).error());
    WEFT_TRY(yaml::Document document, yaml::Document::parse(*text, name));
    files.documents.push_back(std::move(document));
  }
  if (files.documents.empty())
    return fail(Error::config(
        Code::kNotFound, "there is no kubeconfig: " + (names.empty() ? "neither $KUBECONFIG nor $HOME is set"
                                                                     : files.names + " does not exist")));
  return files;
}

/// `name`-data in base64, else the file that `name` names, else nothing.
Result<std::string> data_or_file(const Place& map, const std::string& name) {
  const Place data = map[name + "-data"];
  if (data.given()) {
    auto bytes = decode_base64(data.text());
    if (!bytes || bytes->empty()) return data.reject(Code::kInvalid, "is not base64");
    return std::move(*bytes);
  }
  const Place file = map[name];
  if (!file.given()) return std::string();
  auto text = read_small_file(file.path());
  if (!text) return file.reject(text.error().code, text.error().text);
  return std::move(*text);
}

Result<void> reject_if_given(const Place& map, std::string_view name, const std::string& advice) {
  const Place place = map[name];
  if (!place.given() || place.text() == "false") return {};
  return place.reject(Code::kUnsupported, "is not supported; " + advice);
}

Result<void> read_cluster(const Place& cluster, ClusterAccess& access) {
  WEFT_CHECK(reject_if_given(cluster, "insecure-skip-tls-verify", "give certificate-authority-data instead"));
  WEFT_CHECK(reject_if_given(cluster, "proxy-url", "name a server that can be reached without a proxy"));
  const Place server = cluster["server"];
  if (server.text().empty()) return server.reject(Code::kInvalid, "missing");
  const auto url = parse_server_url(server.text());
  if (!url) return server.reject(url.error().code, url.error().text);
  access.host = url->host;
  access.port = url->port;
  access.base_path = url->path;
  access.server_name = cluster["tls-server-name"].text();
  if (access.server_name.empty()) access.server_name = url->host;
  WEFT_TRY(access.roots_pem, data_or_file(cluster, "certificate-authority"));
  if (access.roots_pem.empty())
    return cluster["certificate-authority-data"].reject(
        Code::kInvalid, "missing: without it weft cannot tell whether " + url->host + " is the server");
  return {};
}

Result<void> read_user(const Place& user, ClusterAccess& access) {
  const std::string advice = "give a token or a client certificate, e.g. by kubectl create token";
  for (const char* name : {"exec", "auth-provider", "username", "password", "as", "as-uid", "as-groups"})
    WEFT_CHECK(reject_if_given(user, name, advice));
  WEFT_TRY(access.certificate_chain_pem, data_or_file(user, "client-certificate"));
  WEFT_TRY(access.private_key_pem, data_or_file(user, "client-key"));
  if (access.certificate_chain_pem.empty() != access.private_key_pem.empty())
    return user.reject(Code::kInvalid, "client-certificate and client-key go together; one is missing");
  access.token = user["token"].text();
  // kubectl's rule: the file goes before the text.
  if (const Place file = user["tokenFile"]; file.given()) {
    access.token_file = file.path();
    access.token.clear();
    const auto token = read_small_file(access.token_file);
    if (!token) return file.reject(token.error().code, token.error().text);
  }
  return {};
}

}  // namespace

Result<ClusterAccess> read_kubeconfig(const AccessOptions& options) {
  WEFT_TRY(const Files files, read_files(options));
  const std::string name = options.context.empty() ? files.current_context() : options.context;
  const auto missing = [&files](const std::string& what) {
    return fail(Error::config(Code::kNotFound, files.names + ": " + what));
  };
  if (name.empty()) return missing("current-context: not set; set it by kubectl config use-context");
  const Place context = files.find("contexts", "context", name);
  if (!context.given()) return missing("contexts: there is none called \"" + name + "\"");
  ClusterAccess access;
  access.origin = files.names + ", context " + name;
  const Place cluster = files.find("clusters", "cluster", context["cluster"].text());
  if (!cluster.given())
    return context["cluster"].reject(Code::kNotFound,
                                     "there is no cluster called \"" + context["cluster"].text() + "\"");
  WEFT_CHECK(read_cluster(cluster, access));
  const Place named_user = context["user"];
  if (!named_user.text().empty()) {
    const Place user = files.find("users", "user", named_user.text());
    if (!user.document)
      return named_user.reject(Code::kNotFound, "there is no user called \"" + named_user.text() + "\"");
    WEFT_CHECK(read_user(user, access));
  }
  access.ns = context["namespace"].text();
  if (access.ns.empty()) access.ns = "default";
  return access;
}

}  // namespace weft::store
