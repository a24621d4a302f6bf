#include "control/webhook/webhook_configurations.h"

#include "base/base64.h"
#include "base/log.h"
#include "control/json.h"

namespace weft::control {
namespace {

constexpr const char* kInjector = "weft-sidecar-injector";
constexpr const char* kValidator = "weft-validator";
constexpr std::string_view kInjectorSuffix = "sidecar-injector.istio.io";
constexpr std::string_view kValidatorSuffix = "validation.istio.io";
constexpr Duration kRetrySoon = 100ms, kRetryLater = 60s;
constexpr int kSoonTimes = 5;
constexpr Duration kProveAgain = 1s, kProveLater = 60s;
constexpr int kProveSoonTimes = 30;

store::Query query_of(const api::KindInfo* kind, const char* name) {
  store::Query query;
  query.kind = kind;
  query.name = name;
  return query;
}

/// Every field is of its type, so that no schema stands in the way; but one port is of two protocols.
api::Json bad_gateway(const std::string& ns) {
  auto server = [](const char* name, const char* protocol) {
    return api::Json{{"port", {{"number", 80}, {"name", name}, {"protocol", protocol}}}, {"hosts", {"*"}}};
  };
  return {{"apiVersion", "networking.istio.io/v1"},
          {"kind", "Gateway"},
          {"metadata", {{"name", "weft-validation-proof"}, {"namespace", ns}}},
          {"spec",
           {{"selector", {{"weft.dev/no-such-gateway", "true"}}},
            {"servers", {server("http", "HTTP"), server("tcp", "TCP")}}}}};
}

bool rejected_by_us(const Error& error) {
  return error.text.find("denied the request") != error.text.npos &&
         error.text.find(kValidatorSuffix) != error.text.npos;
}

}  // namespace

WebhookConfigurations::WebhookConfigurations(net::Loop& loop, store::Store& store, store::RawApi& api,
                                             const std::string& root_pem, std::string ns)
    : loop_(loop),
      store_(store),
      api_(api),
      bundle_(encode_base64(root_pem)),
      ns_(std::move(ns)),
      mutating_(loop, store, query_of(kinds::mutating_webhook_configuration(), kInjector),
                [this](const store::Event&) { on_event(); }),
      validating_(loop, store, query_of(kinds::validating_webhook_configuration(), kValidator),
                  [this](const store::Event&) { on_event(); }),
      retry_(loop, [this] { on_event(); }) {}

void WebhookConfigurations::start() {
  mutating_.start();
  validating_.start();
}

void WebhookConfigurations::set_root(const std::string& root_pem) {
  bundle_ = encode_base64(root_pem);
  on_event();
}

void WebhookConfigurations::on_event() {
  again_ = true;
  if (repairing_) return;
  repairing_ = true;
  loop_.defer([this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) tasks_.spawn(repair_all());
  });
}

net::Task<void> WebhookConfigurations::repair_all() {
  while (again_) {
    again_ = false;
    bool injector = co_await repair(mutating_, kInjector);
    bool validator = co_await repair(validating_, kValidator);
    failed_in_a_row_ = injector && validator ? 0 : failed_in_a_row_ + 1;
  }
  repairing_ = false;
  if (failed_in_a_row_ > 0)
    retry_.arm(loop_.now() + (failed_in_a_row_ <= kSoonTimes ? kRetrySoon : kRetryLater));
  if (proof_ == Proof::kUnknown && !proving_ && validating_.find("", kValidator)) {
    proving_ = true;
    tasks_.spawn(prove());
  }
}

/// Sets what is ours in a configuration; false when it was right already.
bool WebhookConfigurations::bring_right(api::Json& body) const {
  bool changed = false;
  auto webhooks = body.find("webhooks");
  if (webhooks == body.end() || !webhooks->is_array()) return false;
  auto set = [&changed](api::Json& map, const char* name, const std::string& value) {
    if (json::text(map, name) == value) return;
    map[name] = value;
    changed = true;
  };
  for (auto& webhook : *webhooks) {
    std::string_view name = json::text(webhook, "name");
    bool validates = name.ends_with(kValidatorSuffix);
    if (!validates && !name.ends_with(kInjectorSuffix)) continue;
    set(webhook["clientConfig"], "caBundle", bundle_);
    // The others only warn: they must stop no write while we are away.
    if (name == kValidatorSuffix && proof_ != Proof::kUnknown)
      set(webhook, "failurePolicy", proof_ == Proof::kRejected ? "Fail" : "Ignore");
  }
  return changed;
}

net::Task<bool> WebhookConfigurations::repair(const store::Informer& informer, std::string name) {
  api::ObjectPtr present = informer.find("", name);
  if (!present) co_return true;
  api::Object wanted = *present;
  if (!bring_right(wanted.body)) co_return true;
  auto written = co_await store_.update(std::move(wanted));
  if (written) {
    WEFT_LOG(kInfo, "control", "webhook configuration brought right", {"name", name});
    co_return true;
  }
  // An event tells of a writer that was faster.
  if (written.error().code == Code::kConflict || written.error().code == Code::kNotFound) co_return true;
  WEFT_LOG(kWarn, "control", "cannot write a webhook configuration", {"name", name},
           {"error", written.error().text});
  co_return false;
}

net::Task<void> WebhookConfigurations::prove() {
  for (int attempt = 1; proof_ != Proof::kRejected; ++attempt) {
    // The API server needs a moment to take over a new caBundle.
    co_await loop_.sleep(attempt <= kProveSoonTimes ? kProveAgain : kProveLater);
    store::RawRequest request{
        "POST", "/apis/networking.istio.io/v1/namespaces/" + ns_ + "/gateways?dryRun=All", bad_gateway(ns_)};
    auto answer = co_await api_.call(std::move(request));
    if (!answer && rejected_by_us(answer.error())) {
      proof_ = Proof::kRejected;
      WEFT_LOG(kInfo, "control", "the API server rejects what validation rejects");
    } else {
      WEFT_LOG(kDebug, "control", "validation is not proven yet",
               {"answer", answer ? "a bad Gateway was let through" : answer.error().text});
    }
    if (answer && attempt >= kProveSoonTimes) proof_ = Proof::kAccepted;
    if (proof_ != Proof::kUnknown) on_event();
  }
}

namespace kinds {

const api::KindInfo* mutating_webhook_configuration() {
  static constexpr api::KindInfo kInfo{"admissionregistration.k8s.io",
                                       "v1",
                                       "MutatingWebhookConfiguration",
                                       "mutatingwebhookconfigurations",
                                       "mutatingwebhookconfiguration",
                                       "",
                                       false};
  return &kInfo;
}

const api::KindInfo* validating_webhook_configuration() {
  static constexpr api::KindInfo kInfo{"admissionregistration.k8s.io",
                                       "v1",
                                       "ValidatingWebhookConfiguration",
                                       "validatingwebhookconfigurations",
                                       "validatingwebhookconfiguration",
                                       "",
                                       false};
  return &kInfo;
}

}  // namespace kinds
}  // namespace weft::control
