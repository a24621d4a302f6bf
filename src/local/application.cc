#include "local/application.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local/json.h"
#include "local/probe.h"

namespace weft::local {
namespace {

constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The arguments to execute, before `$(NAME)` is replaced, and what the image itself sets.
struct Program {
  api::Json arguments = api::Json::array();
  std::map<std::string, std::string> environment;
};

Result<Program> program_of(const PodPlace& place, const api::Json& container) {
  Program program;
  const std::string image = json::string(container, "image");
  const auto known = place.host.images.find(image);
  if (known) program.environment = known->environment;
  const api::Json& command = json::list(container, "command");
  if (!command.empty()) {
    program.arguments = command;
  } else if (const std::string_view line = place.pod->annotation("weft.dev/command"); !line.empty()) {
    WEFT_TRY(program.arguments, split_arguments(line));
  } else if (known) {
    program.arguments = known->arguments;
  } else {
    return fail(Error::config(
        Code::kUnsupported,
        "image \"" + image + "\" stands for no command on this machine; start with --image '" +
            std::string(image_name(image)) +
            "=COMMAND', or give the container a command or the pod the annotation weft.dev/command"));
  }
  for (const api::Json& argument : json::list(container, "args")) program.arguments.push_back(argument);
  if (program.arguments.empty())
    return fail(Error::config(Code::kInvalid,
                              "the command of container " + json::string(container, "name") + " is empty"));
  return program;
}

std::vector<Mount> volume_mounts(const PodPlace& place, const api::Json& container) {
  std::vector<Mount> mounts = place.mounts;
  for (const api::Json& mount : json::list(container, "volumeMounts"))
    mounts.push_back({place.folder + "/volumes/" + json::string(mount, "name"),
                      json::string(mount, "mountPath"), json::boolean(mount, "readOnly")});
  return mounts;
}

std::int64_t identifier(const PodPlace& place, const api::Json& container, const char* name) {
  const std::int64_t of_pod = json::number(json::at(place.pod->spec(), "securityContext"), name, -1);
  return json::number(json::at(container, "securityContext"), name, of_pod);
}

Result<ProcessSpec> process_of(const PodPlace& place, const api::Json& container) {
  WEFT_TRY(Program program, program_of(place, container));
  Environment base = {{"PATH", kPath}, {"HOME", "/root"}, {"HOSTNAME", host_name_of(place.pod->name())}};
  base.merge(program.environment);
  const FindObject find = [&](std::string_view kind, std::string_view name) {
    return place.host.find(kind, place.pod->ns(), name);
  };
  ProcessSpec spec;
  WEFT_TRY(spec.environment,
           resolve_environment(*place.pod, container, place.interface.ip(), std::move(base), find));
  WEFT_TRY(spec.arguments, expand_all(program.arguments, spec.environment));
  spec.directory = json::string(container, "workingDir");
  spec.log_file = place.logs + "/" + json::string(container, "name") + ".log";
  spec.network = place.interface.space().fd();
  spec.host_name = host_name_of(place.pod->name());
  spec.mounts = volume_mounts(place, container);
  spec.scratch = place.folder + "/scratch";
  spec.user = identifier(place, container, "runAsUser");
  spec.group = identifier(place, container, "runAsGroup");
  const bool not_root = json::boolean(json::at(container, "securityContext"), "runAsNonRoot") ||
                        json::boolean(json::at(place.pod->spec(), "securityContext"), "runAsNonRoot");
  if (not_root && spec.user <= 0)
    return fail(Error::config(
        Code::kNotFound, "runAsNonRoot needs runAsUser: on this machine images have no user of their own"));
  if (spec.group < 0 && spec.user >= 0)
    spec.group = json::number(json::at(place.pod->spec(), "securityContext"), "fsGroup", spec.user);
  return spec;
}

/// Runs a command where the container's process lives, as its exec probes want it.
net::Task<Result<int>> run_inside(const PodPlace& place, const api::Json& container, pid_t process,
                                  std::vector<std::string> arguments, Duration limit) {
  WEFT_CO_TRY(ProcessSpec spec, process_of(place, container));
  const net::Fd mounts(
      ::open(("/proc/" + std::to_string(process) + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
  if (!mounts) co_return fail(Error::internal(Code::kUnavailable, "the container's process has ended"));
  spec.arguments = std::move(arguments);
  spec.mount_namespace = mounts.get();
  spec.mounts.clear();
  spec.log_file = "/dev/null";
  WEFT_CO_TRY(const StartedProcess started, start_process(spec));
  net::Event ended(place.host.loop);
  int status = 0;
  place.host.reaper.expect(started.pid, [&](int value) {
    status = value;
    ended.set();
  });
  // A probe that is cancelled, or whose container ends, leaves no process behind, nor what that has started.
  struct Guard {
    Reaper& reaper;
    net::Event& event;
    pid_t pid;
    ~Guard() {
      if (event.is_set()) return;
      reaper.forget(pid);
      kill_group(pid);
    }
  } guard{place.host.reaper, ended, started.pid};
  if (!co_await ended.wait_until(place.host.loop.now() + limit))
    co_return fail(Error::upstream(Code::kTimeout, Retry::kNever, "the command does not end in time"));
  if (const std::string error = read_error_pipe(started.error_pipe); !error.empty())
    co_return fail(Error::config(Code::kNotFound, error));
  co_return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

net::Task<Result<void>> all_ports_accept(const PodPlace& place, std::vector<std::uint16_t> ports) {
  for (const std::uint16_t port : ports) {
    WEFT_CO_TRY(const net::Address at, net::Address::parse_ip(place.interface.ip(), port));
    WEFT_CO_CHECK(co_await accepts(place.host.loop, place.interface.space(), at, 1s));
  }
  co_return Result<void>{};
}

HealthPlan health_of(const PodPlace& place, const api::Json& container,
                     const std::function<pid_t()>& running) {
  const auto check = [&place, &container, running](const api::Json& probe) {
    return Check([&place, &container, &probe, running] {
      ProbeTarget target{place.host.loop, place.interface.space(), place.interface.ip(), container,
                         [&place, &container, running](std::vector<std::string> arguments, Duration limit) {
                           return run_inside(place, container, running(), std::move(arguments), limit);
                         }};
      return try_probe(std::move(target), probe);
    });
  };
  HealthPlan plan;
  const auto take = [&](const char* name, std::optional<Repeated>& into) {
    if (container.contains(name)) into = repeated(container.at(name), check(container.at(name)));
  };
  take("startupProbe", plan.startup);
  take("readinessProbe", plan.readiness);
  take("livenessProbe", plan.liveness);
  std::vector<std::uint16_t> ports;
  for (const api::Json& port : json::list(container, "ports"))
    ports.push_back(static_cast<std::uint16_t>(json::number(port, "containerPort", 0)));
  if (!ports.empty()) plan.listening = [&place, ports] { return all_ports_accept(place, ports); };
  return plan;
}

}  // namespace

RestartPolicy restart_policy_of(const api::Object& pod) {
  const std::string policy = json::string(pod.spec(), "restartPolicy");
  if (policy == "Never") return RestartPolicy::kNever;
  return policy == "OnFailure" ? RestartPolicy::kOnFailure : RestartPolicy::kAlways;
}

Container::Plan application_plan(const PodPlace& place, const api::Json& container,
                                 std::function<pid_t()> running, std::function<void()> on_change) {
  Container::Plan plan;
  plan.name = json::string(container, "name");
  plan.image = json::string(container, "image");
  plan.restart = restart_policy_of(*place.pod);
  plan.process = [&place, &container] { return process_of(place, container); };
  plan.health = [&place, &container, running = std::move(running)] {
    return health_of(place, container, running);
  };
  plan.on_change = std::move(on_change);
  return plan;
}

}  // namespace weft::local
