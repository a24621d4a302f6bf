#include "control/webhook/injector_settings.h"

#include "base/log.h"
#include "control/json.h"

namespace weft::control {
namespace {

constexpr const char* kName = "weft-injector";

store::Query query_of(std::string ns) {
  store::Query query;
  query.kind = api::find_kind_by_plural("", "configmaps");
  query.ns = std::move(ns);
  query.name = kName;
  return query;
}

}  // namespace

InjectorSettings::InjectorSettings(net::Loop& loop, store::Store& store, std::string ns)
    : informer_(loop, store, query_of(std::move(ns)),
                [this](const store::Event& event) { on_event(event); }) {}

void InjectorSettings::fit_to_cluster(int minor) {
  minor_ = minor;
  current_.fit_to_cluster(minor);
}

void InjectorSettings::on_event(const store::Event& event) {
  if (!event.object || event.type == store::EventType::kDeleted) return;
  auto read = inject::Settings::parse(json::text(json::map(event.object->body, "data"), "settings"),
                                      "configmap " + std::string(kName));
  problem_ = read ? "" : read.error().text;
  if (read) {
    current_ = std::move(*read);
    if (minor_) current_.fit_to_cluster(*minor_);
    WEFT_LOG(kInfo, "control", "injection settings read", {"image", current_.image});
  } else {
    WEFT_LOG(kError, "control", "injection settings are wrong; the last good ones stay", {"error", problem_});
  }
}

}  // namespace weft::control
