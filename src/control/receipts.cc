#include "control/receipts.h"

#include <array>

namespace weft::control {
namespace {

std::array<const api::KindInfo*, 7> kinds_with_receipts() {
  return {kinds::service(),          kinds::ingress(),     kinds::gateway(),   kinds::virtual_service(),
          kinds::destination_rule(), kinds::api_gateway(), kinds::http_route()};
}

bool refuses(const AdsServer::Proxy& proxy, std::uint64_t since) {
  const auto& refusal = proxy.session.refusal();
  return refusal && since > refusal->after && since <= refusal->upto;
}

std::string reason_of(const AdsServer::Proxy& proxy) {
  const auto& refusal = *proxy.session.refusal();
  return std::string(short_name(refusal.type)) + ": " + refusal.reason;
}

api::Json refusal_json(const AdsServer::Proxy& proxy) {
  return {{"proxy", proxy.identity.id()}, {"reason", reason_of(proxy)}};
}

}  // namespace

void Receipts::update(const Inputs& inputs) {
  std::map<api::Key, Entry> now;
  for (const api::KindInfo* kind : kinds_with_receipts()) {
    for (const auto& object : inputs.world->all(kind)) {
      api::Key key = object->key();
      Entry entry{std::string(object->uid()), object->generation(), object->resource_version(),
                  inputs.generation};
      auto before = entries_.find(key);
      if (before != entries_.end() && before->second.uid == entry.uid &&
          before->second.object_generation == entry.object_generation)
        entry.since = before->second.since;
      now.emplace(std::move(key), std::move(entry));
    }
  }
  entries_ = std::move(now);
}

api::Json Receipts::to_json(const AdsServer& ads) const {
  api::Json list = api::Json::array();
  for (const auto& [key, entry] : entries_) {
    std::uint64_t sent = 0, applied = 0;
    api::Json pending = api::Json::array(), refused = api::Json::array();
    for (const AdsServer::Proxy* proxy : ads.proxies()) {
      if (proxy->session.sending() >= entry.since) ++sent;
      if (refuses(*proxy, entry.since)) {
        refused.push_back(refusal_json(*proxy));
      } else if (proxy->session.running() >= entry.since) {
        ++applied;
      } else {
        pending.push_back(proxy->identity.id());
      }
    }
    list.push_back({{"kind", std::string(key.kind->kind)},
                    {"namespace", key.ns},
                    {"name", key.name},
                    {"resourceVersion", entry.resource_version},
                    {"sent", sent},
                    {"applied", applied},
                    {"pending", std::move(pending)},
                    {"refused", std::move(refused)}});
  }
  return {{"receipts", std::move(list)}};
}

api::Json Receipts::proxies_json(const AdsServer& ads) {
  api::Json list = api::Json::array();
  for (const AdsServer::Proxy* proxy : ads.proxies()) {
    api::Json types = api::Json::object();
    for (Type type : kAllTypes) {
      Session::TypeReport report = proxy->session.report(type);
      api::Json one = {{"sent", report.sent}, {"acked", report.acked}, {"nacked", report.nacked}};
      if (!report.reason.empty()) one["reason"] = report.reason;
      types[std::string(short_name(type))] = std::move(one);
    }
    bool gateway = proxy->identity.kind == ProxyIdentity::Kind::kGateway;
    list.push_back({{"id", proxy->identity.id()},
                    {"pod", proxy->identity.pod},
                    {"namespace", proxy->identity.ns},
                    {"kind", gateway ? "gateway" : "sidecar"},
                    {"pid", proxy->peer.pid},
                    {"connection", proxy->connection},
                    {"running", proxy->session.running()},
                    {"types", std::move(types)}});
  }
  return {{"proxies", std::move(list)}};
}

std::map<api::Key, std::string> Receipts::refusals(const AdsServer& ads) const {
  std::map<api::Key, std::string> found;
  for (const AdsServer::Proxy* proxy : ads.proxies()) {
    if (!proxy->session.refusal() || proxy->session.refusal()->after == 0) continue;
    for (const auto& [key, entry] : entries_)
      if (key.kind != kinds::service() && refuses(*proxy, entry.since))
        found.try_emplace(key, proxy->identity.id() + " refused " + reason_of(*proxy));
  }
  return found;
}

api::Json Receipts::progress_json(const AdsServer& ads, std::uint64_t generation) {
  api::Json proxies = api::Json::array(), missing = api::Json::array(), refused = api::Json::array();
  for (const AdsServer::Proxy* proxy : ads.proxies()) {
    proxies.push_back(proxy->identity.id());
    if (refuses(*proxy, generation)) {
      refused.push_back(refusal_json(*proxy));
    } else if (proxy->session.running() < generation) {
      missing.push_back({{"proxy", proxy->identity.id()}, {"running", proxy->session.running()}});
    }
  }
  for (const std::string& id : ads.absent()) missing.push_back({{"proxy", id}, {"running", 0}});
  return {{"applied", missing.empty() && refused.empty()},
          {"generation", generation},
          {"proxies", std::move(proxies)},
          {"missing", std::move(missing)},
          {"refused", std::move(refused)}};
}

}  // namespace weft::control
