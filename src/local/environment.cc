#include "local/environment.h"

#include <optional>

#include "base/base64.h"
#include "local/json.h"

namespace weft::local {
namespace {

std::string field_of(const api::Object& pod, std::string_view path, const std::string& pod_ip) {
  if (path == "metadata.name") return std::string(pod.name());
  if (path == "metadata.namespace") return std::string(pod.ns());
  if (path == "metadata.uid") return std::string(pod.uid());
  if (path == "spec.nodeName") return std::string(kNodeName);
  if (path == "spec.serviceAccountName") return service_account_of(pod);
  if (path == "status.podIP" || path == "status.podIPs") return pod_ip;
  if (path == "status.hostIP") return std::string(kHostIp);
  const auto open = path.find("['");
  if (open == path.npos || !path.ends_with("']")) return "";
  const std::string key(path.substr(open + 2, path.size() - open - 4));
  return std::string(path.starts_with("metadata.labels") ? pod.label(key) : pod.annotation(key));
}

/// The value of a key of a ConfigMap or Secret; nullopt when it is optional and not there.
Result<std::optional<std::string>> keyed(std::string_view kind, const api::Json& reference,
                                         const FindObject& find) {
  const std::string name = text_at(reference, "name"), key = text_at(reference, "key");
  const api::ObjectPtr object = find(kind, name);
  if (object) {
    const api::Json& plain = member(object->body, kind == "Secret" ? "stringData" : "data");
    if (plain.contains(key)) return text_at(plain, key);
    const api::Json& coded = member(object->body, kind == "Secret" ? "data" : "binaryData");
    if (coded.contains(key)) return decode_base64(text_at(coded, key)).value_or("");
  }
  if (flag_at(reference, "optional")) return std::nullopt;
  return fail(Error::config(Code::kNotFound, std::string(kind) + " \"" + name + "\"" +
                                                 (object ? " has no key \"" + key + "\"" : " is not there")));
}

Result<std::optional<std::string>> value_of(const api::Object& pod, const api::Json& variable,
                                            const std::string& pod_ip, const Environment& known,
                                            const FindObject& find) {
  if (!variable.contains("valueFrom")) return expand(text_at(variable, "value"), known);
  const api::Json& from = member(variable, "valueFrom");
  if (from.contains("fieldRef")) return field_of(pod, text_at(member(from, "fieldRef"), "fieldPath"), pod_ip);
  if (from.contains("configMapKeyRef")) return keyed("ConfigMap", member(from, "configMapKeyRef"), find);
  return keyed("Secret", member(from, "secretKeyRef"), find);
}

}  // namespace

Result<Environment> resolve_environment(const api::Object& pod, const api::Json& container,
                                        const std::string& pod_ip, Environment base, const FindObject& find) {
  for (const api::Json& variable : list_at(container, "env")) {
    const std::string name = text_at(variable, "name");
    auto value = value_of(pod, variable, pod_ip, base, find);
    if (!value) return std::unexpected(std::move(value).error().with_context("env " + name));
    if (*value) base[name] = std::move(**value);
  }
  return base;
}

std::string expand(std::string_view text, const Environment& environment) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '$' && next == '$') {
      out += text[i++];
      continue;
    }
    const auto close = text[i] == '$' && next == '(' ? text.find(')', i) : text.npos;
    const auto found = close != text.npos ? environment.find(std::string(text.substr(i + 2, close - i - 2)))
                                          : environment.end();
    if (found == environment.end()) {
      out += text[i];
      continue;
    }
    out += found->second;
    i = close;
  }
  return out;
}

std::vector<std::string> expand_all(const api::Json& words, const Environment& environment) {
  std::vector<std::string> out;
  for (const api::Json& word : words)
    if (word.is_string()) out.push_back(expand(word.get_ref<const std::string&>(), environment));
  return out;
}

}  // namespace weft::local
