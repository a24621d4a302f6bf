#include "control/receipts.h"

#include <algorithm>
#include <array>

#include "control/translation/object_check.h"

namespace weft::control {
namespace {

std::array<const api::KindInfo*, 7> kinds_with_receipts() {
  return {kinds::service(),          kinds::ingress(),     kinds::gateway(),   kinds::virtual_service(),
          kinds::destination_rule(), kinds::api_gateway(), kinds::http_route()};
}

/// What a proxy that has never run anything rejected may come from any object: no object is named.
const Session::Rejection* rejection_of(const AdsServer::Proxy& proxy, std::uint64_t since) {
  const Session::Rejection* rejection = proxy.session.rejection_of(since);
  return rejection && rejection->after != 0 ? rejection : nullptr;
}

constexpr std::string_view kControlPlane = "control plane";

/// Objects that came in before a check, or past it, are checked here again. Those in which the snapshot's
/// look finds no fault have passed this check in it.
std::string left_out_of(const api::Object& object, const ObjectSnapshot& snapshot) {
  std::string text;
  if (object.kind != kinds::service() && snapshot.faults(object).empty()) return text;
  for (const api::Finding& finding : check_object(object))
    text += (text.empty() ? "" : "; ") + to_string(finding);
  return text;
}

std::string reason_of(const Session::Rejection& rejection) {
  return std::string(short_name(rejection.type)) + ": " + rejection.reason;
}

api::Json rejection_json(const AdsServer::Proxy& proxy, const Session::Rejection& rejection) {
  return {{"proxy", proxy.identity.id()}, {"reason", reason_of(rejection)}};
}

}  // namespace

void Receipts::update(const PushContext& push) {
  for (const api::KindInfo* kind : kinds_with_receipts())
    for_each_change(*seen_, *push.snapshot, kind,
                    [&](const api::ObjectPtr& before, const api::ObjectPtr& now) {
                      if (now) return note(*now, push);
                      entries_.erase(before->key());
                      left_out_.erase(before->key());
                    });
  seen_ = push.snapshot;
}

void Receipts::note(const api::Object& object, const PushContext& push) {
  api::Key key = object.key();
  Entry& entry = entries_[key];
  const bool same = entry.since != 0 && entry.uid == object.uid() &&
                    entry.object_generation == object.generation() &&
                    // Kubernetes counts no generation of a Service.
                    (object.generation() != 0 || entry.resource_version == object.resource_version());
  entry.resource_version = object.resource_version();
  if (same) return;
  entry.uid = object.uid();
  entry.object_generation = object.generation();
  entry.since = push.generation;
  if (std::string text = left_out_of(object, *push.snapshot); text.empty())
    left_out_.erase(key);
  else
    left_out_.insert_or_assign(std::move(key), std::move(text));
}

bool Receipts::is_applied(const AdsServer& ads, std::uint64_t generation) {
  const auto runs = [&](const AdsServer::Proxy* proxy) { return proxy->session.runs(generation); };
  return std::ranges::all_of(ads.proxies(), runs) && ads.absent().empty();
}

bool Receipts::is_settled(const AdsServer& ads, std::uint64_t generation, std::uint64_t but_behind) {
  return std::ranges::all_of(ads.proxies(), [&](const AdsServer::Proxy* proxy) {
    const auto settled = [&](std::uint64_t with) {
      return proxy->session.runs(with) || proxy->session.rejection_of(with);
    };
    return settled(generation) || (but_behind != 0 && !settled(but_behind));
  });
}

bool Receipts::is_rejected(const AdsServer& ads, std::uint64_t generation) {
  return std::ranges::any_of(ads.proxies(), [&](const AdsServer::Proxy* proxy) {
    return proxy->session.rejection_of(generation) != nullptr;
  });
}

api::Json Receipts::to_json(const AdsServer& ads) const {
  api::Json list = api::Json::array();
  for (const auto& [key, entry] : entries_) {
    std::uint64_t sent = 0, applied = 0;
    api::Json pending = api::Json::array(), rejected = api::Json::array();
    if (const auto left_out = left_out_.find(key); left_out != left_out_.end())
      rejected.push_back({{"proxy", std::string(kControlPlane)}, {"reason", left_out->second}});
    for (const AdsServer::Proxy* proxy : ads.proxies()) {
      if (proxy->session.sending() >= entry.since) ++sent;
      if (const auto* rejection = rejection_of(*proxy, entry.since)) {
        rejected.push_back(rejection_json(*proxy, *rejection));
      } else if (proxy->session.runs(entry.since)) {
        ++applied;
      } else {
        pending.push_back(proxy->identity.id());
      }
    }
    list.push_back({{"group", std::string(key.kind->group)},
                    {"kind", std::string(key.kind->kind)},
                    {"namespace", key.ns},
                    {"name", key.name},
                    {"resourceVersion", entry.resource_version},
                    {"sent", sent},
                    {"applied", applied},
                    {"pending", std::move(pending)},
                    {"rejected", std::move(rejected)}});
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

std::map<api::Key, std::string> Receipts::rejections(const AdsServer& ads) const {
  std::map<api::Key, std::string> found;
  for (const auto& [key, text] : left_out_) found[key] = std::string(kControlPlane) + " leaves out " + text;
  for (const AdsServer::Proxy* proxy : ads.proxies()) {
    if (!proxy->session.any_doubted()) continue;
    for (const auto& [key, entry] : entries_)
      if (const auto* rejection = rejection_of(*proxy, entry.since);
          rejection && key.kind != kinds::service())
        found.try_emplace(key, proxy->identity.id() + " rejected " + reason_of(*rejection));
  }
  return found;
}

api::Json Receipts::progress_json(const AdsServer& ads, std::uint64_t generation) {
  api::Json proxies = api::Json::array(), missing = api::Json::array(), rejected = api::Json::array();
  for (const AdsServer::Proxy* proxy : ads.proxies()) {
    proxies.push_back(proxy->identity.id());
    if (const auto* rejection = proxy->session.rejection_of(generation)) {
      rejected.push_back(rejection_json(*proxy, *rejection));
    } else if (!proxy->session.runs(generation)) {
      missing.push_back({{"proxy", proxy->identity.id()}, {"running", proxy->session.running()}});
    }
  }
  for (const std::string& id : ads.absent()) missing.push_back({{"proxy", id}, {"running", 0}});
  return {{"applied", missing.empty() && rejected.empty()},
          {"generation", generation},
          {"proxies", std::move(proxies)},
          {"missing", std::move(missing)},
          {"rejected", std::move(rejected)}};
}

}  // namespace weft::control
