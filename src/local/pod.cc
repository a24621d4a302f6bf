#include "local/pod.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "base/utc.h"
#include "local/capture_options.h"
#include "local/json.h"
#include "local/sidecar.h"

namespace weft::local {
namespace {

constexpr Duration kApplicationWaitsForSidecar = 5s;
constexpr Duration kSidecarGrace = 2s;
constexpr std::int64_t kDefaultGraceSeconds = 30;
constexpr Backoff::Limits kServicesBackoff{.initial = 100ms, .max = 30s};

std::string app_label(const api::Object& pod) {
  const std::string_view app = pod.label("app");
  return std::string(app.empty() ? pod.name() : app);
}

}  // namespace

Pod::Pod(const Host& host, api::ObjectPtr object, std::function<void()> on_change)
    : host_(host),
      place_pod_(std::move(object)),
      on_change_(std::move(on_change)),
      sidecar_ready_(host.loop),
      services_again_(host.loop, [this] { services_changed(); }),
      services_backoff_(kServicesBackoff) {
  const std::string name = std::string(place_pod_->ns()) + "_" + std::string(place_pod_->name());
  folder_ = host_.state_dir + "/pods/" + name;
  logs_ = host_.state_dir + "/logs/" + name;
  started_at_ = since_ = ready_since_ = utc_now();
}

Pod::~Pod() = default;

void Pod::start() { tasks_.spawn(run()); }

bool Pod::is_gateway() const {
  return place_pod_->ns() == "istio-system" &&
         (place_pod_->label("istio") == "ingressgateway" || place_pod_->label("istio") == "ingress");
}

bool Pod::has_sidecar() const {
  if (is_gateway()) return true;
  std::string_view wish = place_pod_->label("sidecar.istio.io/inject");
  if (wish.empty()) wish = place_pod_->annotation("sidecar.istio.io/inject");
  return wish != "false";
}

Duration Pod::grace_of(const api::Object& pod) {
  const std::int64_t of_spec =
      json::number(pod.spec(), "terminationGracePeriodSeconds", kDefaultGraceSeconds);
  return std::chrono::seconds(
      json::number(json::at(pod.body, "metadata"), "deletionGracePeriodSeconds", of_spec));
}

net::Task<void> Pod::run() {
  while (true) {
    const auto prepared = prepare();
    if (prepared) break;
    // Nothing of the pod exists yet; what is missing on the machine may come.
    message_ = prepared.error().text;
    WEFT_LOG(kError, "local", "a pod cannot be set up", {"pod", place_pod_->name()}, {"error", message_});
    on_change_();
    co_await host_.loop.sleep(2s);
  }
  message_.clear();
  if (sidecar_) sidecar_->start();
  on_change_();
  co_await run_applications();
}

Result<void> Pod::prepare() {
  if (!interface_) {
    std::optional<capture::Redirection> captured;
    if (has_sidecar() && !is_gateway()) {
      WEFT_TRY(captured, redirection_of(*place_pod_));
    }
    WEFT_TRY(interface_, host_.network.add(json::string(place_pod_->status(), "podIP"), captured));
  }
  WEFT_CHECK(write_files());
  WEFT_CHECK(make_volumes());
  place_ = std::make_unique<PodPlace>(PodPlace{host_, place_pod_, *interface_, folder_, logs_, {}});
  for (const char* file : {"hosts", "resolv.conf", "nsswitch.conf"})
    place_->mounts.push_back({folder_ + "/" + file, std::string("/etc/") + file, false});
  const auto changed = [this] { on_container_change(); };
  if (has_sidecar()) {
    const SidecarIdentity identity{
        std::string(place_pod_->ns()),   std::string(place_pod_->name()), interface_->ip(),
        service_account_of(*place_pod_), app_label(*place_pod_),          is_gateway()};
    const bool is_ours = place_pod_->annotation("weft.dev/proxy-command").empty();
    WEFT_CHECK(write_atomically(folder_ + "/bootstrap.json",
                                bootstrap_text(identity, host_.state_dir + "/xds.sock", is_ours)));
    sidecar_ = std::make_unique<Container>(
        host_.loop, host_.reaper,
        sidecar_plan(host_, *place_pod_, *interface_, identity, place_->mounts, changed));
  }
  for (const api::Json& container : json::list(place_pod_->spec(), "containers")) {
    // A gateway's only container is the proxy itself.
    if (sidecar_ && json::string(container, "name") == kSidecarName) continue;
    const std::size_t index = applications_.size();
    applications_.push_back(std::make_unique<Container>(
        host_.loop, host_.reaper,
        application_plan(
            *place_, container, [this, index] { return applications_[index]->pid(); }, changed)));
  }
  return {};
}

Result<void> Pod::write_files() {
  std::error_code error;
  for (const std::string& folder : {folder_, logs_}) {
    std::filesystem::create_directories(folder, error);
    if (error) return fail(Error::internal(Code::kInternal, folder + ": " + error.message()));
  }
  WEFT_CHECK(take_services());
  WEFT_CHECK(write_in_place(folder_ + "/resolv.conf", resolv_conf_text(place_pod_->ns())));
  return write_in_place(folder_ + "/nsswitch.conf", nsswitch_text());
}

Result<void> Pod::make_volumes() {
  const std::int64_t group = json::number(json::at(place_pod_->spec(), "securityContext"), "fsGroup", -1);
  for (const api::Json& volume : json::list(place_pod_->spec(), "volumes")) {
    const std::string folder = folder_ + "/volumes/" + json::string(volume, "name");
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail(Error::internal(Code::kInternal, folder + ": " + error.message()));
    ::chmod(folder.c_str(), 0777);
    if (group >= 0 && ::chown(folder.c_str(), static_cast<uid_t>(-1), static_cast<gid_t>(group)) != 0)
      return fail(Error::internal(Code::kInternal, folder + ": fsGroup: " + errno_text(errno)));
  }
  return {};
}

net::Task<void> Pod::run_applications() {
  // An application that calls others as its first act would find no proxy behind the redirection.
  if (sidecar_) co_await sidecar_ready_.wait_until(host_.loop.now() + kApplicationWaitsForSidecar);
  if (stopping_) co_return;
  for (const auto& application : applications_) application->start();
}

void Pod::on_container_change() {
  if (sidecar_ && sidecar_->ready()) sidecar_ready_.set();
  // A pod whose work is done keeps no sidecar.
  if (applications_over() && sidecar_ && !stopping_ && sidecar_->running())
    tasks_.spawn(sidecar_->stop(kSidecarGrace));
  on_change_();
}

bool Pod::applications_over() const {
  return !applications_.empty() &&
         std::ranges::all_of(applications_, [](const auto& each) { return each->over(); });
}

void Pod::services_changed() {
  // One that is still to be set up, or is gone, reads them itself when it is.
  if (!interface_ || !place_) return;
  services_again_.disarm();
  if (const auto taken = take_services(); !taken) {
    WEFT_LOG(kError, "local", "a pod's view of the Services", {"pod", place_pod_->name()},
             {"error", taken.error().text});
    services_again_.arm(host_.loop.now() + services_backoff_.next());
  } else {
    services_backoff_.reset();
  }
}

/// Names and rules, each whatever becomes of the other.
Result<void> Pod::take_services() {
  Result<void> rules = take_rules();
  Result<void> names = write_in_place(
      folder_ + "/hosts",
      hosts_text(host_name_of(place_pod_->name()), place_pod_->ns(), interface_->ip(), host_.services()));
  if (!rules && !names) names.error().text += "; " + rules.error().text;
  return names ? rules : names;
}

Result<void> Pod::take_rules() {
  const ServiceTable& services = host_.services();
  if (rules_taken_ == services.rules_version()) return {};
  WEFT_CHECK(interface_->lead_to_services(services.rules()));
  rules_taken_ = services.rules_version();
  return {};
}

net::Task<void> Pod::stop_applications() {
  net::TaskScope stopping;
  for (const auto& application : applications_) stopping.spawn(application->stop(grace_));
  co_await stopping.join();
}

net::Task<void> Pod::stop(Duration grace) {
  stopping_ = true;
  grace_ = grace;
  sidecar_ready_.set();
  tasks_.cancel_all();
  co_await stop_applications();
  if (sidecar_) co_await sidecar_->stop(std::min(grace_, kSidecarGrace));
  co_await end_remaining_processes();
  interface_.reset();
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

void Pod::shorten(Duration grace) {
  grace_ = std::min(grace_, grace);
  for (const auto& application : applications_) application->shorten(grace);
  if (sidecar_) sidecar_->shorten(grace);
}

net::Task<void> Pod::end_remaining_processes() {
  if (!interface_) co_return;
  // A process that forks while we look is seen in the next round; none can come from outside.
  for (int round = 0; round < 100; ++round) {
    const std::vector<pid_t> left = processes_in_namespace("net", interface_->space().inode());
    if (left.empty()) co_return;
    for (const pid_t pid : left) ::kill(pid, SIGKILL);
    co_await host_.loop.sleep(1ms);
  }
}

std::string Pod::phase() const {
  const bool any_started =
      std::ranges::any_of(applications_, [](const auto& each) { return each->started_once(); });
  if (applications_over())
    return std::ranges::any_of(applications_, [](const auto& each) { return each->failed(); }) ? "Failed"
                                                                                               : "Succeeded";
  if (any_started || (applications_.empty() && sidecar_ && sidecar_->started_once())) return "Running";
  return "Pending";
}

api::Json Pod::conditions() const {
  const bool sidecar_ready = !has_sidecar() || (sidecar_ && sidecar_->ready());
  const bool ready = interface_ && !stopping_ && sidecar_ready &&
                     std::ranges::all_of(applications_, [](const auto& each) { return each->ready(); });
  if (ready != was_ready_) ready_since_ = utc_now();
  was_ready_ = ready;
  api::Json list = api::Json::array();
  const auto add = [&](const char* type, bool value, const std::string& when) {
    list.push_back({{"type", type}, {"status", value ? "True" : "False"}, {"lastTransitionTime", when}});
  };
  add("PodScheduled", true, since_);
  add("Initialized", true, since_);
  add("ContainersReady", ready, ready_since_);
  add("Ready", ready, ready_since_);
  return list;
}

api::Json Pod::status() const {
  api::Json status = {{"phase", phase()},
                      {"conditions", conditions()},
                      {"hostIP", std::string(kHostIp)},
                      {"startTime", started_at_}};
  if (!message_.empty()) {
    status["reason"] = "CreatePodSandboxError";
    status["message"] = message_;
  }
  if (interface_) {
    status["podIP"] = interface_->ip();
    status["podIPs"] = api::Json::array({{{"ip", interface_->ip()}}});
  }
  api::Json containers = api::Json::array();
  for (const auto& application : applications_) containers.push_back(application->status());
  if (sidecar_) containers.push_back(sidecar_->status());
  status["containerStatuses"] = std::move(containers);
  return status;
}

}  // namespace weft::local
