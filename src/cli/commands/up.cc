#include "app/up.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "cli/apply_objects.h"
#include "cli/command.h"
#include "cli/in_force.h"
#include "cli/instance.h"
#include "cli/run.h"
#include "cli/start_progress.h"
#include "local/instance_record.h"
#include "net/signal_watch.h"
#include "store/remote_store.h"

namespace weft::cli {
namespace {

constexpr Duration kReadyLimit = 60s;
constexpr std::chrono::seconds kInForceLimit{30};
constexpr Duration kLookAgain = 2ms;

/// Whether Ctrl-C or SIGTERM asked for the end; from start() on they end things in order.
class Interruptions {
 public:
  explicit Interruptions(net::Loop& loop) : signals_(loop, [this](int) { asked_ = true; }) {}
  Result<void> start() { return signals_.start({SIGINT, SIGTERM}); }
  bool asked() const { return asked_; }

 private:
  bool asked_ = false;
  net::SignalWatch signals_;
};

class SupervisorEnd final : private net::ReadyHandler {
 public:
  Result<void> start(net::Loop& loop, int process_fd) { return watch_.start(loop, process_fd, *this); }
  bool ended() const { return ended_; }

 private:
  void on_ready(Ready) override { ended_ = true; }
  net::FdWatch watch_;
  bool ended_ = false;
};

/// What is done with a mesh that runs: the files applied, the pods awaited, the page's address said.
class Start {
 public:
  Start(Console& console, const GlobalOptions& global, const StateDirectory& state, const net::Address& api,
        net::Loop& loop, const Interruptions& interruptions, TimePoint began)
      : store_(loop, api),
        mesh_(loop, api),
        context_{console, loop, store_, mesh_, global, state},
        interruptions_(interruptions),
        began_(began),
        progress_(context_, began_) {}

  net::Task<CommandResult> run(const std::vector<InputObject>& inputs, std::string ingress) {
    progress_.start();
    WEFT_CO_TRY(const Applied applied, co_await apply_objects(context_, inputs, false, true));
    if (applied.failed) co_return Exit::kFailed;
    const bool ready = co_await pods();
    if (interruptions_.asked()) co_return Exit::kDone;
    if (!ready) context_.note("These pods are not ready:\n" + progress_.troubles());
    Exit in_force = Exit::kDone;
    if (applied.version > 0) {
      WEFT_CO_TRY(in_force, co_await wait_until_in_force(context_, applied.version, kInForceLimit));
    }
    co_await say_address(ingress);
    co_return ready ? in_force : Exit::kFailed;
  }

 private:
  /// Whether all are ready.
  net::Task<bool> pods() {
    const TimePoint limit = context_.loop.now() + kReadyLimit;
    while (!interruptions_.asked()) {
      const StartProgress::State state = progress_.state();
      if (state == StartProgress::State::kReady) co_return true;
      if (state == StartProgress::State::kStuck || context_.loop.now() >= limit) co_return false;
      co_await context_.loop.sleep(kLookAgain);
    }
    co_return false;
  }

  net::Task<void> say_address(std::string ingress) {
    store::Query query{.kind = api::find_kind("networking.istio.io/v1", "VirtualService"),
                       .ns = "",
                       .label_selector = "",
                       .name = ""};
    const auto rules = co_await store_.list(std::move(query));
    std::map<api::Key, api::ObjectPtr> by_key;
    if (rules)
      for (const api::ObjectPtr& rule : rules->items) by_key[rule->key()] = rule;
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.2f s",
                  std::chrono::duration<double>(SteadyClock::now() - began_).count());
    context_.out("\nThe mesh is up after " + std::string(seconds) + ": http://" + ingress +
                 page_path(by_key) + "\n");
  }

  store::RemoteStore store_;
  RemoteMeshApi mesh_;
  Context context_;
  const Interruptions& interruptions_;
  TimePoint began_;
  StartProgress progress_;
};

/// Until Ctrl-C, or until the supervisor ends by itself.
CommandResult stay(Console& console, net::Loop& loop, app::RunningInstance& instance,
                   const Interruptions& interruptions) {
  SupervisorEnd end;
  WEFT_CHECK(end.start(loop, instance.process_fd()));
  while (!interruptions.asked() && !end.ended()) loop.run_once(10s);
  if (end.ended())
    return fail(
        Error::internal(Code::kInternal,
                        "the mesh has ended by itself; logs/supervisor.log in its state directory says why"));
  console.out("\nEnding the mesh ...\n");
  WEFT_CHECK(instance.stop());
  console.out("Ended. Its objects stay for the next 'weft up'.\n");
  return Exit::kDone;
}

CommandResult apply_to_running(Console& console, const GlobalOptions& global, const StateDirectory& state,
                               const std::vector<InputObject>& inputs, const local::InstanceRecord& record) {
  const TimePoint began = SteadyClock::now();
  WEFT_TRY(const net::Address api, net::Address::unix_path(state.api_socket()));
  net::Loop loop;
  Interruptions interruptions(loop);
  WEFT_CHECK(interruptions.start());
  console.out("Instance \"" + global.instance + "\" is running; the files are applied to it.\n");
  Start start(console, global, state, api, loop, interruptions, began);
  return run(loop, start.run(inputs, record.ingress));
}

}  // namespace

CommandResult up(Console& console, const GlobalOptions& global, const UpOptions& options) {
  const TimePoint began = SteadyClock::now();
  WEFT_TRY(const StateDirectory state, StateDirectory::resolve(global.instance));
  std::vector<InputObject> inputs;
  if (!options.files.empty()) {
    WEFT_TRY(inputs, read_input_objects(console, {options.files, false, global.ns}));
  }
  // One that is just ending does not answer any more, and then makes room.
  if (const auto record = local::read_record(state.path()); record && record->alive()) {
    if (reach_instance(state, global.instance))
      return apply_to_running(console, global, state, inputs, *record);
    if (record->alive())
      return fail(Error::internal(
          Code::kUnavailable,
          "instance \"" + global.instance + "\" runs and does not answer; 'weft down' ends it"));
  }
  net::Loop loop;
  Interruptions interruptions(loop);
  WEFT_CHECK(interruptions.start());
  console.out("Starting instance \"" + global.instance + "\" in " + state.path() + "\n");
  const app::StartOptions start_options{global.instance, state.path(), options.isolation,
                                        options.ingress_port, options.images};
  WEFT_TRY(app::RunningInstance instance, app::RunningInstance::start(start_options));
  WEFT_TRY(const net::Address api, net::Address::unix_path(state.api_socket()));
  CommandResult started = Exit::kDone;
  {
    Start start(console, global, state, api, loop, interruptions, began);
    started = run(loop, start.run(inputs, "127.0.0.1:" + std::to_string(options.ingress_port)));
  }
  if (!started || interruptions.asked()) {
    WEFT_CHECK(instance.stop());
    return started;
  }
  if (options.detach) {
    instance.detach();
    console.out("It runs on; 'weft down' ends it, 'weft get pods' shows it.\n");
    return started;
  }
  console.out("Ctrl-C ends it.\n");
  return stay(console, loop, instance, interruptions);
}

}  // namespace weft::cli
