#include "store/kubernetes/lease.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "base/log.h"
#include "store/wire.h"

namespace weft::store {
namespace {

constexpr std::string_view kApiVersion = "coordination.k8s.io/v1";

/// Kubernetes' MicroTime. It is not compared with a local clock: it says only that the record has changed.
std::string micro_time_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  const std::time_t seconds = micros / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char day[32], text[48];
  std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text, sizeof text, "%s.%06dZ", day, static_cast<int>(micros % 1'000'000));
  return text;
}

const api::Json& spec_in(const api::Json& lease) {
  static const api::Json kNone = api::Json::object();
  const auto found = lease.is_object() ? lease.find("spec") : lease.end();
  return found != lease.end() && found->is_object() ? *found : kNone;
}

std::int64_t number_in(const api::Json& spec, const char* name) {
  const auto found = spec.find(name);
  return found != spec.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

Lease::Lease(net::Loop& loop, RawApi& api, LeaseOptions options, std::function<void(bool)> on_change)
    : loop_(loop),
      api_(api),
      options_(std::move(options)),
      on_change_(std::move(on_change)),
      expiry_(loop, [this] { announce(); }) {}

void Lease::start() { tasks_.spawn(run()); }

bool Lease::leads() const { return options_.clock() < leads_until_; }

std::string Lease::path(bool named) const {
  return "/apis/" + std::string(kApiVersion) + "/namespaces/" + options_.ns + "/leases" +
         (named ? "/" + options_.name : "");
}

/// client-go's jitter: those who wait for a lease wait up to 1.2 times longer, so that they do not ask
/// together.
net::Task<void> Lease::run() {
  co_await loop_.yield();
  for (;;) {
    const auto done = co_await attempt();
    announce();
    if (!done)
      WEFT_LOG(kWarn, "kubernetes", "the lease cannot be asked for",
               {"lease", options_.ns + "/" + options_.name}, {"error", done.error().text});
    Duration delay = options_.retry;
    if (!leads())
      delay += Duration(random_.below(static_cast<std::uint64_t>(options_.retry.count()) * 6 / 5));
    co_await loop_.sleep(delay);
  }
}

/// One look at the record, and one write if it is ours to write. What another wrote meanwhile is no
/// error.
net::Task<Result<void>> Lease::attempt() {
  const TimePoint asked = options_.clock();
  auto present = co_await api_.call({.path = path(true)});
  if (!present && present.error().code != Code::kNotFound) co_return fail(std::move(present).error());
  Result<void> written;
  if (present) {
    observe(*present);
    const TimePoint now = options_.clock();
    const bool ours = holder_ == options_.identity;
    const bool free = holder_.empty() || now >= seen_at_ + seen_duration_;
    if (!ours && !free) {
      leads_until_ = TimePoint::min();
      co_return Result<void>{};
    }
    written = co_await take(*present, asked);
  } else {
    written = co_await take(api::Json::object(), asked);
  }
  // Another was faster: the next look shows who.
  if (!written && written.error().code == Code::kConflict) co_return Result<void>{};
  co_return written;
}

/// The record counts as renewed when we saw it change, by our clock: the times in it are another's.
void Lease::observe(const api::Json& lease) {
  const api::Json& spec = spec_in(lease);
  holder_ = text_member(spec, "holderIdentity");
  if (spec == seen_) return;
  seen_ = spec;
  seen_at_ = options_.clock();
  // At least our own duration: a record that asks for none must not have two leaders.
  const auto asked =
      std::chrono::seconds(std::clamp<std::int64_t>(number_in(spec, "leaseDurationSeconds"), 0, 3600));
  seen_duration_ = std::max<Duration>(asked, options_.duration);
}

api::Json Lease::spec_of(const api::Json& present) const {
  const api::Json& before = spec_in(present);
  api::Json spec = before;
  const std::string now = micro_time_now();
  const bool ours = text_member(before, "holderIdentity") == options_.identity;
  if (!ours) spec["acquireTime"] = now;
  if (!ours) spec["leaseTransitions"] = number_in(before, "leaseTransitions") + (before.empty() ? 0 : 1);
  spec["holderIdentity"] = options_.identity;
  spec["leaseDurationSeconds"] = std::chrono::ceil<std::chrono::seconds>(options_.duration).count();
  spec["renewTime"] = now;
  return spec;
}

net::Task<Result<void>> Lease::take(const api::Json& present, TimePoint asked) {
  const bool made = !present.empty();
  api::Json lease = present;
  if (!made) {
    lease = {{"apiVersion", kApiVersion}, {"kind", "Lease"}};
    lease["metadata"] = {{"name", options_.name}, {"namespace", options_.ns}};
  }
  lease["spec"] = spec_of(present);
  WEFT_CO_TRY(
      const api::Json response,
      co_await api_.call({.method = made ? "PUT" : "POST", .path = path(made), .body = std::move(lease)}));
  observe(response);
  leads_until_ = asked + options_.renew_deadline;
  expiry_.arm(leads_until_);
  co_return Result<void>{};
}

void Lease::announce() {
  const bool now = leads();
  if (now == announced_) return;
  announced_ = now;
  WEFT_LOG(kInfo, "kubernetes", now ? "leads" : "leads no more", {"lease", options_.ns + "/" + options_.name},
           {"identity", options_.identity});
  if (on_change_) on_change_(now);
}

net::Task<void> Lease::release() {
  tasks_.cancel_all();
  expiry_.disarm();
  const bool led = leads();
  leads_until_ = TimePoint::min();
  announce();
  if (!led) co_return;
  auto present = co_await api_.call({.path = path(true)});
  if (!present || text_member(spec_in(*present), "holderIdentity") != options_.identity) co_return;
  api::Json lease = std::move(*present);
  lease["spec"]["holderIdentity"] = "";
  lease["spec"]["leaseDurationSeconds"] = 1;
  lease["spec"]["renewTime"] = micro_time_now();
  const auto written = co_await api_.call({.method = "PUT", .path = path(true), .body = std::move(lease)});
  if (written) holder_.clear();
}

}  // namespace weft::store
