#include "install/plan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "api/yaml.h"
#include "api/yaml_reader.h"
#include "base/strings.h"

namespace weft::install {
namespace {

using api::Json;

constexpr std::array<std::pair<std::string_view, Profile>, 4> kProfiles = {{
    {"minimal", Profile::kMinimal},
    {"default", Profile::kDefault},
    {"demo", Profile::kDemo},
    {"walkthrough", Profile::kWalkthrough},
}};

/// Takes a value; returns the end of a sentence that begins with it when it is wrong.
using Take = std::function<std::string(Plan&, const std::string&)>;

std::string one_of(const std::string& value, std::span<const std::string_view> allowed) {
  if (std::ranges::find(allowed, value) != allowed.end()) return {};
  std::string text = "must be one of ";
  for (const std::string_view each : allowed) text.append(each == allowed.front() ? "" : ", ").append(each);
  const std::string_view near = nearest(value, allowed);
  if (!near.empty()) text += "; did you mean \"" + std::string(near) + "\"?";
  return text;
}

Take number(int min, int max, int& (*place)(Plan&)) {
  return [=](Plan& plan, const std::string& value) -> std::string {
    int read = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), read);
    if (error != std::errc() || end != value.data() + value.size() || read < min || read > max)
      return "must be a number from " + std::to_string(min) + " to " + std::to_string(max);
    place(plan) = read;
    return {};
  };
}

Take choice(std::span<const std::string_view> allowed, std::string& (*place)(Plan&)) {
  return [=](Plan& plan, const std::string& value) {
    std::string problem = one_of(value, allowed);
    if (problem.empty()) place(plan) = value;
    return problem;
  };
}

/// A reference as container runtimes read it, or near enough that a slip is seen here and not in a pod.
std::string take_image(Plan& plan, const std::string& value) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@";
  if (value.empty() || value.find_first_not_of(kAllowed) != value.npos || value.front() == '/' ||
      value.back() == ':')
    return "must be the name of an image such as weft.dev/weft:" WEFT_VERSION;
  plan.image = value;
  return {};
}

std::string take_gateway_api(Plan& plan, const std::string& value) {
  if (value != "true" && value != "false") return "must be true or false";
  plan.gateway_api = value == "true";
  return {};
}

constexpr std::string_view kPullPolicies[] = {"Always", "IfNotPresent", "Never"};
constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warning", "error", "off"};
constexpr std::string_view kServiceTypes[] = {"NodePort", "LoadBalancer", "ClusterIP"};
constexpr int kLastPort = 65535;

const std::map<std::string_view, Take>& keys() {
  static const std::map<std::string_view, Take> kKeys = {
      {"image", take_image},
      {"imagePullPolicy", choice(kPullPolicies, [](Plan& p) -> std::string& { return p.image_pull_policy; })},
      {"logLevel", choice(kLevels, [](Plan& p) -> std::string& { return p.log_level; })},
      {"replicas", number(1, 10, [](Plan& p) -> int& { return p.replicas; })},
      {"gatewayApi.crds", take_gateway_api},
      {"gateway.nodePort", number(1, kLastPort, [](Plan& p) -> int& { return p.gateway.node_port; })},
      {"gateway.replicas", number(1, 100, [](Plan& p) -> int& { return p.gateway.replicas; })},
      {"gateway.serviceType", choice(kServiceTypes, [](Plan& p) -> std::string& { return p.gateway.type; })},
      {"ingress.nodePort", number(1, kLastPort, [](Plan& p) -> int& { return p.ingress.node_port; })},
      {"ingress.replicas", number(1, 100, [](Plan& p) -> int& { return p.ingress.replicas; })},
  };
  return kKeys;
}

constexpr std::string_view kInjector = "injector.";

std::unexpected<Error> reject(const std::string& what) {
  return fail(Error::config(Code::kInvalid, "--set " + what));
}

std::unexpected<Error> unknown(const std::string& key) {
  std::vector<std::string> names;
  for (const auto& [name, take] : keys()) names.emplace_back(name);
  for (const std::string_view name : inject::Settings::names())
    names.push_back(std::string(kInjector).append(name));
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const std::string_view near = key.size() > 80 ? std::string_view() : nearest(key, candidates);
  std::string text = std::string(cut(key, 80)) + ": there is no such key";
  if (!near.empty()) return reject(text + "; did you mean \"" + std::string(near) + "\"?");
  text += "; keys are ";
  for (const auto& [name, take] : keys()) text.append(name).append(", ");
  return reject(text + "and injector.NAME for the settings of injection");
}

/// A setting of injection. The text is read as YAML first, so that true and [a, b] are what they look like;
/// where the setting is a text, so is 80.
Result<void> set_injection(Plan& plan, const std::string& key, const std::string& value) {
  const std::string name = key.substr(kInjector.size());
  const auto names = inject::Settings::names();
  if (std::ranges::find(names, name) == names.end()) return unknown(key);
  const api::YamlStream stream = api::read_yaml(value);
  std::vector<Json> readings;
  if (!stream.fault && stream.documents.size() == 1) readings.push_back(stream.documents.front().value);
  readings.emplace_back(value);
  std::string problem;
  for (const Json& reading : readings) {
    const auto parsed = inject::Settings::parse(api::to_yaml(Json{{name, reading}}), "--set injector");
    if (parsed) {
      plan.injection[name] = reading;
      return {};
    }
    if (problem.empty()) problem = parsed.error().text;
  }
  const auto sentence = problem.find(name + ": ");
  return reject(std::string(kInjector) + (sentence == problem.npos ? problem : problem.substr(sentence)));
}

Result<void> set(Plan& plan, const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == assignment.npos || equals == 0)
    return reject("\"" + std::string(cut(assignment, 80)) + "\": must be KEY=VALUE");
  const std::string key = assignment.substr(0, equals), value = assignment.substr(equals + 1);
  if (key.starts_with(kInjector)) return set_injection(plan, key, value);
  const auto found = keys().find(key);
  if (found == keys().end()) return unknown(key);
  if (key.starts_with("gateway.") && !plan.has_gateway())
    return reject(key + ": the profile " + std::string(to_string(plan.profile)) + " has no gateway");
  if (key.starts_with("ingress.") && !plan.has_ingress())
    return reject(key + ": only the profile walkthrough has this ingress; did you mean \"gateway." +
                  key.substr(8) + "\"?");
  if (const std::string problem = found->second(plan, value); !problem.empty())
    return reject(key + ": \"" + std::string(cut(value, 80)) + "\" " + problem);
  return {};
}

Result<Profile> read_profile(std::string_view text) {
  std::vector<std::string_view> names;
  for (const auto& [name, profile] : kProfiles) {
    if (name == text) return profile;
    names.push_back(name);
  }
  return fail(Error::config(Code::kInvalid, "--profile: \"" + std::string(cut(text, 80)) + "\" " +
                                                one_of(std::string(cut(text, 80)), names)));
}

}  // namespace

std::string_view to_string(Profile profile) {
  for (const auto& [name, each] : kProfiles)
    if (each == profile) return name;
  return "default";
}

Result<Plan> Plan::read(std::string_view profile, std::span<const std::string> sets) {
  Plan plan;
  WEFT_TRY(plan.profile, read_profile(profile));
  Json wishes = Json::object();
  if (plan.profile == Profile::kDemo) {
    plan.log_level = "debug";
    wishes["logLevel"] = "info";
  }
  plan.injection = std::move(wishes);
  for (const std::string& each : sets) WEFT_CHECK(set(plan, each));
  if (plan.gateway.type == "ClusterIP" && plan.gateway.node_port != 0)
    return reject("gateway.nodePort: a Service of type ClusterIP has no node port; leave one of them out");
  if (plan.gateway.node_port != 0 && plan.gateway.node_port == plan.ingress.node_port)
    return reject("ingress.nodePort: " + std::to_string(plan.ingress.node_port) +
                  " is the port of gateway.nodePort; give each its own");
  if (!plan.injection.contains("image")) plan.injection["image"] = plan.image;
  if (!plan.injection.contains("imagePullPolicy")) plan.injection["imagePullPolicy"] = plan.image_pull_policy;
  WEFT_TRY(plan.settings, inject::Settings::parse(api::to_yaml(plan.injection), "settings of injection"));
  return plan;
}

}  // namespace weft::install
