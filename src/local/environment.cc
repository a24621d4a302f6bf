#include "local/environment.h"

#include <algorithm>
#include <optional>

#include "base/base64.h"
#include "local/json.h"

namespace weft::local {
namespace {

// What the kernel starts a program with: MAX_ARG_STRLEN for one text; for all a quarter of the usual stack.
constexpr std::size_t kMaxText = 128 * 1024 - 1, kMaxAll = 2 * 1024 * 1024;
constexpr std::size_t kMaxName = 4096;

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
  const std::string name = json::string(reference, "name"), key = json::string(reference, "key");
  const api::ObjectPtr object = find(kind, name);
  if (object) {
    const api::Json& plain = json::at(object->body, kind == "Secret" ? "stringData" : "data");
    if (plain.contains(key)) return json::string(plain, key);
    const api::Json& coded = json::at(object->body, kind == "Secret" ? "data" : "binaryData");
    if (coded.contains(key)) return decode_base64(json::string(coded, key)).value_or("");
  }
  if (json::boolean(reference, "optional")) return std::nullopt;
  return fail(Error::config(Code::kNotFound, std::string(kind) + " \"" + name + "\"" +
                                                 (object ? " has no key \"" + key + "\"" : " is not there")));
}

Result<std::optional<std::string>> value_of(const api::Object& pod, const api::Json& variable,
                                            const std::string& pod_ip, const Environment& known,
                                            const FindObject& find) {
  if (!variable.contains("valueFrom")) {
    WEFT_TRY(std::string value, expand(json::string(variable, "value"), known));
    return value;
  }
  const api::Json& from = json::at(variable, "valueFrom");
  if (from.contains("fieldRef"))
    return field_of(pod, json::string(json::at(from, "fieldRef"), "fieldPath"), pod_ip);
  if (from.contains("configMapKeyRef")) return keyed("ConfigMap", json::at(from, "configMapKeyRef"), find);
  return keyed("Secret", json::at(from, "secretKeyRef"), find);
}

}  // namespace

Result<Environment> resolve_environment(const api::Object& pod, const api::Json& container,
                                        const std::string& pod_ip, Environment base, const FindObject& find) {
  std::size_t size = 0;
  for (const api::Json& variable : json::list(container, "env")) {
    const std::string name = json::string(variable, "name");
    auto value = value_of(pod, variable, pod_ip, base, find);
    if (!value) return std::unexpected(std::move(value).error().with_context("env " + name));
    if (!*value) continue;
    size += name.size() + (*value)->size();
    if (size > kMaxAll)
      return fail(Error::config(Code::kTooLarge, "env " + name + ": all variables have more than 2 MiB"));
    base[name] = std::move(**value);
  }
  return base;
}

Result<std::string> expand(std::string_view text, const Environment& environment) {
  std::size_t longest_name = 0;
  for (const auto& [name, value] : environment) longest_name = std::max(longest_name, name.size());
  longest_name = std::min(longest_name, kMaxName);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (out.size() > kMaxText) break;
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '$' && next == '$') {
      out += text[i++];
      continue;
    }
    // What is longer than every name is none: its end is not looked for.
    const bool opens = text[i] == '$' && next == '(';
    const std::string_view rest = opens ? text.substr(i + 2, longest_name + 1) : std::string_view();
    const auto close = rest.find(')');
    const auto found =
        close != rest.npos ? environment.find(std::string(rest.substr(0, close))) : environment.end();
    if (found == environment.end()) {
      out += text[i];
      continue;
    }
    out += found->second;
    i += 2 + close;
  }
  if (out.size() > kMaxText)
    return fail(Error::config(Code::kTooLarge, "more than 128 KiB, with $(...) replaced"));
  return out;
}

Result<std::vector<std::string>> expand_all(const api::Json& arguments, const Environment& environment) {
  std::vector<std::string> out;
  std::size_t size = 0;
  for (const api::Json& argument : arguments) {
    if (!argument.is_string()) continue;
    auto expanded = expand(argument.get_ref<const std::string&>(), environment);
    const std::string context = "argument " + std::to_string(out.size() + 1) + " of the command";
    if (!expanded) return fail(std::move(expanded).error().with_context(context));
    size += expanded->size();
    if (size > kMaxAll) return fail(Error::config(Code::kTooLarge, context + ": all have more than 2 MiB"));
    out.push_back(std::move(*expanded));
  }
  return out;
}

}  // namespace weft::local
