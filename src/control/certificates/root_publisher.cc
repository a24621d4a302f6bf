#include "control/certificates/root_publisher.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "control/controllers/plan.h"
#include "control/json.h"

namespace weft::control {
namespace {

constexpr const char* kName = "weft-ca-root-cert";
constexpr const char* kKey = "root-cert.pem";
constexpr Duration kRetryAfter = 1s;

const api::KindInfo* config_map() { return api::find_kind_by_plural("", "configmaps"); }

store::Query all_of(const api::KindInfo* kind, std::string name = {}) {
  store::Query query;
  query.kind = kind;
  query.name = std::move(name);
  return query;
}

bool is_published_to(const api::Object& ns) {
  static constexpr std::array<std::string_view, 3> kWithout = {"kube-public", "kube-node-lease",
                                                               "local-path-storage"};
  return !is_terminating(ns) && std::ranges::find(kWithout, ns.name()) == kWithout.end();
}

bool is_right(const api::Object& config_map, const std::string& root_pem) {
  return json::text(json::map(config_map.body, "data"), kKey) == root_pem;
}

}  // namespace

RootPublisher::RootPublisher(net::Loop& loop, store::Store& store, std::string root_pem)
    : loop_(loop),
      store_(store),
      root_pem_(std::move(root_pem)),
      namespaces_(loop, store, all_of(kinds::name_space()), [this](const store::Event&) { on_event(); }),
      config_maps_(loop, store, all_of(config_map(), kName), [this](const store::Event&) { on_event(); }),
      retry_(loop, [this] { on_event(); }) {}

void RootPublisher::start() {
  namespaces_.start();
  config_maps_.start();
}

void RootPublisher::set_root(std::string root_pem) {
  root_pem_ = std::move(root_pem);
  on_event();
}

void RootPublisher::on_event() {
  again_ = true;
  if (running_) return;
  running_ = true;
  loop_.defer([this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) tasks_.spawn(run());
  });
}

net::Task<void> RootPublisher::run() {
  while (again_) {
    again_ = false;
    std::vector<std::string> wanting;
    for (const auto& [key, ns] : namespaces_.items()) {
      auto present = config_maps_.find(key.name, kName);
      if (is_published_to(*ns) && !(present && is_right(*present, root_pem_))) wanting.push_back(key.name);
    }
    bool failed = false;
    for (const std::string& ns : wanting) {
      bool done = co_await publish(ns);
      failed = failed || !done;
    }
    if (failed) retry_.arm(loop_.now() + kRetryAfter);
  }
  running_ = false;
}

net::Task<bool> RootPublisher::publish(std::string ns) {
  api::Object wanted;
  wanted.kind = config_map();
  if (auto present = config_maps_.find(ns, kName)) wanted.body = present->body;
  bool is_new = wanted.body.is_null();
  if (is_new)
    wanted.body = {{"apiVersion", "v1"},
                   {"kind", "ConfigMap"},
                   {"metadata",
                    {{"name", kName},
                     {"namespace", ns},
                     {"labels", {{"app.kubernetes.io/part-of", "weft"}, {"istio.io/config", "true"}}}}}};
  wanted.body["data"] = {{kKey, root_pem_}};
  auto written = is_new ? store_.create(std::move(wanted)) : store_.update(std::move(wanted));
  auto result = co_await std::move(written);
  if (result) co_return true;
  // Another writer was faster, or the namespace is going: the event that tells of it brings us here again.
  if (result.error().code == Code::kConflict || result.error().code == Code::kNotFound) co_return true;
  WEFT_LOG(kWarn, "control", "cannot publish the root certificate", {"namespace", ns},
           {"error", result.error().text});
  co_return false;
}

}  // namespace weft::control
