#include "app/up.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "cli/apply_objects.h"
#include "cli/command.h"
#include "cli/instance.h"
#include "cli/start_progress.h"
#include "cli/wait_applied.h"
#include "local/instance_record.h"
#include "net/signal_watch.h"
#include "store/remote_store.h"

namespace weft::cli {
namespace {

constexpr Duration kReadyLimit = 60s;
constexpr std::chrono::seconds kInForceLimit{30};
constexpr Duration kLookAgain = 2ms;
/// Longer than the second or two after which containers, sandboxes and controllers try again.
constexpr Duration kStuckLasts = 3s;
constexpr Exit kInterrupted{130};  // as shells count the end by Ctrl-C

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

template <class T>
net::Task<void> keep(net::Task<T> task, std::optional<T>& into) {
  into.emplace(co_await std::move(task));
}

/// Serves the loop until the task is done or a signal asks for the end; the task is gone then: nullopt.
std::optional<CommandResult> run_unless(const Interruptions& interruptions, net::Loop& loop,
                                        net::Task<CommandResult> task) {
  std::optional<CommandResult> result;
  net::TaskScope scope;
  scope.spawn(keep(std::move(task), result));
  while (!result && !interruptions.asked()) loop.run_once(10s);
  return result;
}

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
        net::Loop& loop, TimePoint began)
      : store_(loop, api),
        mesh_(loop, api),
        context_{console, loop, store_, mesh_, global, state},
        began_(began),
        progress_(context_, began_) {}

  net::Task<CommandResult> run(const std::vector<InputObject>& inputs, std::string ingress) {
    progress_.start();
    WEFT_CO_TRY(const Applied applied, co_await apply_objects(context_, inputs, DryRun::kNone, true));
    if (applied.failed) co_return Exit::kFailed;
    WEFT_CO_CHECK(co_await progress_.expect_with_outcome(applied));
    const bool ready = co_await pods();
    if (!ready) context_.note("These pods are not ready:\n" + progress_.problems());
    Exit confirmed = Exit::kDone;
    // That the pods are ready is a change of its own: callers are to know their endpoints.
    const std::uint64_t present = ready ? co_await present_version(context_) : 0;
    if (applied.version > 0) {
      const std::uint64_t since = applied.since == 0 ? applied.version : applied.since;
      WEFT_CO_TRY(confirmed, co_await wait_until_applied(context_, std::max(present, applied.version),
                                                         kInForceLimit, since));
    } else if (ready) {
      co_await let_settle(context_, present, kInForceLimit);
    }
    co_await say_address(ingress, ready);
    co_return ready ? confirmed : Exit::kFailed;
  }

 private:
  /// Whether all are ready.
  net::Task<bool> pods() {
    const TimePoint limit = context_.loop.now() + kReadyLimit;
    Lasting stuck(kStuckLasts);
    for (;;) {
      const StartProgress::State state = progress_.state();
      if (state == StartProgress::State::kReady) co_return true;
      const bool hopeless = stuck.lasts(state == StartProgress::State::kStuck, context_.loop.now());
      if (hopeless || context_.loop.now() >= limit) co_return false;
      co_await context_.loop.sleep(kLookAgain);
    }
  }

  net::Task<void> say_address(std::string ingress, bool ready) {
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
    context_.out((ready ? "\nThe mesh is up after " : "\nNot all of the mesh is ready after ") +
                 std::string(seconds) + ": http://" + ingress + page_path(by_key) + "\n");
  }

  store::RemoteStore store_;
  RemoteMeshApi mesh_;
  Context context_;
  TimePoint began_;
  StartProgress progress_;
};

/// Until Ctrl-C, or until the supervisor ends by itself.
Result<void> stay(Console& console, net::Loop& loop, app::RunningInstance& instance,
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
  return {};
}

/// Options that say how an instance is started do nothing for one that runs.
std::string what_is_ignored(const GlobalOptions& global, const UpOptions& options,
                            const local::InstanceRecord& record) {
  std::string text;
  const auto ignore = [&](const std::string& what) {
    text += what + "; 'weft down" + name_option(global.instance) + "' and a new 'weft up' would change it\n";
  };
  const std::string port = std::to_string(options.ingress_port);
  if (options.ingress_port != UpOptions().ingress_port && !record.ingress.ends_with(":" + port))
    ignore("--ingress-port " + port + " is ignored: the instance listens at " + record.ingress);
  if (!options.images.empty()) ignore("--image is ignored: images are given to an instance when it starts");
  if (!options.detach) text += "it runs on when this command has ended, as with --detach\n";
  return text;
}

CommandResult apply_to_running(Console& console, const GlobalOptions& global, const StateDirectory& state,
                               const UpOptions& options, const std::vector<InputObject>& inputs,
                               const local::InstanceRecord& record) {
  const TimePoint began = SteadyClock::now();
  WEFT_TRY(const net::Address api, net::Address::unix_path(state.api_socket()));
  net::Loop loop;
  Interruptions interruptions(loop);
  WEFT_CHECK(interruptions.start());
  console.out("Instance \"" + global.instance + "\" is running already" +
              (inputs.empty() ? ".\n" : "; the files are applied to it.\n"));
  console.err(what_is_ignored(global, options, record));
  Start start(console, global, state, api, loop, began);
  if (const auto result = run_unless(interruptions, loop, start.run(inputs, record.ingress))) return *result;
  console.err("interrupted; the instance runs on\n");
  return kInterrupted;
}

CommandResult interrupted(Console& console) {
  console.err("interrupted; everything is ended\n");
  return kInterrupted;
}

}  // namespace

CommandResult up(Console& console, const GlobalOptions& global, const UpOptions& options) {
  const TimePoint began = SteadyClock::now();
  WEFT_TRY(const StateDirectory state, StateDirectory::resolve(global.instance));
  std::vector<InputObject> inputs;
  if (!options.files.empty()) {
    WEFT_TRY(inputs, read_input_objects(console, {options.files, false, global.ns}));
  }
  // One that is just ending does not respond any more, and then makes room.
  if (const auto record = local::read_record(state.path()); record && record->alive()) {
    if (reach_instance(state, global.instance))
      return apply_to_running(console, global, state, options, inputs, *record);
    if (record->alive())
      return fail(Error::internal(Code::kUnavailable, "instance \"" + global.instance +
                                                          "\" runs and does not respond; 'weft down" +
                                                          name_option(global.instance) + "' ends it"));
  }
  net::Loop loop;
  Interruptions interruptions(loop);
  WEFT_CHECK(interruptions.start());
  console.out("Starting instance \"" + global.instance + "\" in " + state.path() + "\n");
  const std::uint16_t port = options.ingress_port;
  const app::StartOptions start_options{global.instance, state.path(), options.isolation, port,
                                        options.images};
  auto made =
      app::RunningInstance::start(start_options, loop, [&interruptions] { return interruptions.asked(); });
  if (!made && made.error().code == Code::kCancelled) return interrupted(console);
  WEFT_TRY(app::RunningInstance instance, std::move(made));
  WEFT_TRY(const net::Address api, net::Address::unix_path(state.api_socket()));
  std::optional<CommandResult> started;
  {
    Start start(console, global, state, api, loop, began);
    started = run_unless(interruptions, loop, start.run(inputs, "127.0.0.1:" + std::to_string(port)));
  }
  if (!started || !*started) {
    WEFT_CHECK(instance.stop());
    return started ? *started : interrupted(console);
  }
  if (options.detach) {
    instance.detach();
    const std::string name = name_option(global.instance);
    console.out("It runs on; 'weft down" + name + "' ends it, 'weft get pods" + name + "' shows it.\n");
    return *started;
  }
  console.out("Ctrl-C ends it.\n");
  WEFT_CHECK(stay(console, loop, instance, interruptions));
  return *started;
}

}  // namespace weft::cli
