#include "local/pod_runtime.h"

#include <algorithm>
#include <ctime>

#include "base/log.h"
#include "http/client.h"
#include "local/json.h"

namespace weft::local {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr Duration kWriteAgain = 50ms;
constexpr Duration kLookAgain = 1ms;
/// A file of many Services, or pods that become ready together, make one writing for each pod, not many.
constexpr Duration kGatherServices = 5ms;
/// Between two of them, however many Services and pods there are.
constexpr Duration kMaxServicesRest = 1s;
/// How long a pod that goes serves those that have not heard of it yet (docs/decisions/0012).
constexpr std::chrono::seconds kMaxUnheard{2};
/// For rules of pods without a sidecar, and for most requests that are under way.
constexpr Duration kUnderWay = 100ms;

store::Query all(std::string_view kind, std::string_view api_version = "v1") {
  return {.kind = api::find_kind(api_version, kind), .ns = "", .label_selector = "", .name = ""};
}

/// Of this thread.
Duration spent_processor_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

bool is_terminating(const api::Object& pod) {
  return !json::string(json::at(pod.body, "metadata"), "deletionTimestamp").empty();
}

bool is_ready(const api::Object& pod) {
  const api::Json& conditions = json::list(pod.status(), "conditions");
  return std::ranges::any_of(conditions, [](const api::Json& each) {
    return json::string(each, "type") == "Ready" && json::string(each, "status") == "True";
  });
}

bool is_done(const api::Object& pod) {
  const std::string phase = json::string(pod.status(), "phase");
  return phase == "Succeeded" || phase == "Failed";
}

}  // namespace

PodRuntime::PodRuntime(Host& host, store::Store& store)
    : host_(host),
      store_(store),
      name_server_(host.loop, service_table_),
      services_timer_(host.loop, [this] { tell_services(); }),
      services_pace_(kGatherServices, kMaxServicesRest),
      pods_informer_(host.loop, store, all("Pod"), [this](const store::Event& event) { on_pod(event); }),
      services_(host.loop, store, all("Service"), [this](const store::Event&) { on_service(); }),
      slices_(host.loop, store, all("EndpointSlice", "discovery.k8s.io/v1"),
              [this](const store::Event&) { on_service(); }),
      config_maps_(host.loop, store, all("ConfigMap")),
      secrets_(host.loop, store, all("Secret")) {
  host_.services = [this]() -> const ServiceTable& { return service_table_; };
  host_.find = [this](std::string_view kind, std::string_view ns, std::string_view name) {
    return (kind == "Secret" ? secrets_ : config_maps_).find(ns, name);
  };
}

void PodRuntime::start() {
  const auto at = net::Address::parse_ip(kHostIp, kDnsPort);
  if (const auto started = at ? name_server_.start(*at) : std::unexpected(at.error()); !started)
    WEFT_LOG(kError, "local", "pods have no DNS", {"error", started.error().text});
  config_maps_.start();
  secrets_.start();
  services_.start();
  slices_.start();
  tasks_.spawn(start_pods());
}

/// The environment of a container that starts comes from them: one that they are missing from would fail.
net::Task<void> PodRuntime::start_pods() {
  while (!config_maps_.synced() || !secrets_.synced()) co_await host_.loop.sleep(kLookAgain);
  if (!stopping_) pods_informer_.start();
}

void PodRuntime::on_pod(const store::Event& event) {
  if (!event.object || stopping_) return;
  const api::Key key = event.object->key();
  const auto known = pods_.find(key);
  const bool same = known != pods_.end() && known->second->object().uid() == event.object->uid();
  if (event.type == store::EventType::kDeleted) {
    if (same) tasks_.spawn(end(key, Duration::zero(), false));
    return;
  }
  if (is_terminating(*event.object)) {
    if (same)
      tasks_.spawn(end_when_drained(key, event.object));
    else if (known == pods_.end())
      tasks_.spawn(remove_object(key, std::string(event.object->uid())));
    return;
  }
  if (known != pods_.end()) {
    // The name has a new owner before the old one has left; its turn comes when that has ended.
    if (!same) tasks_.spawn(end(key, Duration::zero(), false));
    return;
  }
  if (!is_done(*event.object)) begin(event.object);
}

void PodRuntime::begin(api::ObjectPtr object) {
  const api::Key key = object->key();
  auto pod = std::make_unique<Pod>(host_, std::move(object), [this, key] { mark_dirty(key); });
  Pod& started = *(pods_[key] = std::move(pod));
  mark_dirty(key);
  started.start();
}

/// A pod that is deleted is told to end when no client sends to it any more: every proxy has left it out, and
/// so have the rules of pods without one.
net::Task<void> PodRuntime::end_when_drained(api::Key key, api::ObjectPtr object) {
  Duration grace = Pod::grace_of(*object);
  const std::string uid(object->uid());
  const bool serves = is_ready(*object) && grace > Duration::zero() && !ending_.contains(key);
  if (const auto waits = draining_.find(uid); serves && waits != draining_.end()) {
    waits->second = std::min(waits->second, grace);
    co_return;
  }
  if (serves) {
    draining_.emplace(uid, grace);
    co_await unheard_of(object->resource_version());
    grace = draining_.extract(uid).mapped();
  }
  const auto found = pods_.find(key);
  if (found != pods_.end() && found->second->object().uid() == object->uid()) co_await end(key, grace, true);
}

net::Task<void> PodRuntime::unheard_of(std::uint64_t version) {
  const auto api = net::Address::unix_path(host_.state_dir + "/api.sock");
  if (!api) co_return;
  http::Request request;
  request.path = "/weft/v1/applied?resourceVersion=" + std::to_string(version) +
                 "&timeoutSeconds=" + std::to_string(kMaxUnheard.count());
  // Whatever it says, and whether it says anything: a pod that is to go goes.
  static_cast<void>(co_await http::fetch(host_.loop, *api, std::move(request),
                                         {.deadline = host_.loop.now() + kMaxUnheard}));
  co_await host_.loop.sleep(kUnderWay);
}

net::Task<void> PodRuntime::end(api::Key key, Duration grace, bool remove) {
  const auto found = pods_.find(key);
  if (found == pods_.end()) co_return;
  if (!ending_.insert(key).second) {
    found->second->shorten(grace);
    co_return;
  }
  mark_dirty(key);
  const std::string uid(found->second->object().uid());
  co_await found->second->stop(grace);
  pods_.erase(key);
  ending_.erase(key);
  dirty_.erase(key);
  if (remove) co_await remove_object(key, uid);
  // The next of that name may have come meanwhile, and been begun.
  if (stopping_ || pods_.contains(key)) co_return;
  const api::ObjectPtr now = pods_informer_.find(key.ns, key.name);
  // The one that has ended may still be in the copy.
  if (!now || now->uid() == uid) co_return;
  if (is_terminating(*now))
    co_await remove_object(key, std::string(now->uid()));
  else if (!is_done(*now))
    begin(now);
}

net::Task<void> PodRuntime::remove_object(api::Key key, std::string uid) {
  while (!stopping_) {
    const auto removed = co_await store_.remove(key, 0, uid);
    // Another one of that name is not this task's.
    if (removed || removed.error().code == Code::kNotFound || removed.error().code == Code::kConflict)
      co_return;
    co_await host_.loop.sleep(kWriteAgain);
  }
}

void PodRuntime::mark_dirty(const api::Key& key) {
  dirty_.insert(key);
  if (!std::exchange(writing_, true)) tasks_.spawn(write_statuses());
}

/// One after another: what changes meanwhile is written with the next one.
net::Task<void> PodRuntime::write_statuses() {
  co_await host_.loop.yield();
  while (!dirty_.empty()) {
    const api::Key key = *dirty_.begin();
    dirty_.erase(dirty_.begin());
    if (co_await write_status(key)) continue;
    dirty_.insert(key);
    co_await host_.loop.sleep(kWriteAgain);
  }
  writing_ = false;
}

/// False: it is to be tried again. Only what the control plane will never take is not tried again.
net::Task<bool> PodRuntime::write_status(const api::Key& key) {
  const auto found = pods_.find(key);
  if (found == pods_.end()) co_return true;
  api::Object object = found->second->object();
  object.body["status"] = found->second->status();
  object.body["metadata"].erase("resourceVersion");
  const auto written = co_await store_.update_status(std::move(object));
  // Another uid is another pod, which has a status of its own.
  if (written || written.error().code == Code::kNotFound || written.error().code == Code::kConflict)
    co_return true;
  const Code code = written.error().code;
  const bool never = code == Code::kInvalid || code == Code::kUnsupported || code == Code::kDenied ||
                     code == Code::kTooLarge;
  if (never)
    WEFT_LOG(kError, "local", "a pod's status cannot be written", {"pod", key.name},
             {"error", written.error().text});
  co_return never;
}

void PodRuntime::on_service() {
  if (!services_timer_.armed()) services_timer_.arm(services_pace_.next(host_.loop.now()));
}

/// All Services for all pods: in each change of many it would cost their number squared.
void PodRuntime::tell_services() {
  const Duration begin = spent_processor_time();
  if (service_table_.set(services_.items(), slices_.items()))
    for (const auto& [key, pod] : pods_) pod->services_changed();
  services_pace_.worked(host_.loop.now(), spent_processor_time() - begin);
}

net::Task<void> PodRuntime::stop(Duration grace) {
  stopping_ = true;
  net::TaskScope stopping;
  std::vector<api::Key> keys;
  for (const auto& [key, pod] : pods_) keys.push_back(key);
  for (const api::Key& key : keys)
    stopping.spawn(end(key, std::min(grace, Pod::grace_of(pods_[key]->object())), false));
  co_await stopping.join();
  // Those that were ending before are ended by their own tasks.
  while (!pods_.empty()) co_await host_.loop.sleep(1ms);
}

}  // namespace weft::local
