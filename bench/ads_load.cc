// Many sidecars that only listen to the control plane, in one process, for bench/control.py.
//   ads_load XDS_SOCKET REGISTRATION_FD PROXIES < commands > reports
// Each proxy has a connection of its own and asks, subscribes and acknowledges as xds/ads_client.h does; what
// it is sent is counted and applied nowhere. It says once, in a line of JSON, that all have their
// configuration, and after each line that it reads how far they are; at the end of its input it ends. A
// stream that has ended is counted as lost and not made again. Exit code 1: it could not connect.
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "http/grpc/client.h"
#include "net/loop.h"
#include "net/signal.h"
#include "net/socket.h"
#include "net/task.h"
#include "xds/proto/discovery.pb.h"
#include "xds/resource.h"

namespace weft::bench {
namespace {

namespace discovery = envoy::service::discovery::v3;
using xds::Type;

constexpr std::string_view kPath =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
// Below the server's limit of strangers: more would push each other out.
constexpr std::size_t kMaxStrangers = 100;
constexpr std::size_t kMaxKnownResources = 100'000;

/// Of all proxies, since the start.
struct Totals {
  std::uint64_t bytes = 0, responses = 0, acks = 0;
  std::size_t introduced = 0;  ///< proxies that have had a response
  std::size_t configured = 0;  ///< proxies that have acknowledged routes
  std::size_t lost = 0;        ///< proxies whose stream has ended
  TimePoint last_ack{};
};

/// What a cluster or a listener asks for by name, read once for all proxies that are sent the same bytes.
class References {
 public:
  const std::vector<std::string>& of(Type type, const std::string& bytes) {
    if (known_.size() > kMaxKnownResources) known_.clear();
    auto [at, is_new] = known_.try_emplace(bytes);
    if (!is_new) return at->second;
    if (auto resource = xds::decode(type, bytes))
      for (const xds::Need& need : (*resource)->needs)
        at->second.emplace_back(need.name.empty() ? (*resource)->name() : std::string_view(need.name));
    return at->second;
  }

 private:
  std::unordered_map<std::string, std::vector<std::string>> known_;
};

/// One sidecar's side of its stream. Owner: Crowd. Thread: the loop's.
class Proxy {
 public:
  Proxy(net::Loop& loop, std::string node, References& references, Totals& totals)
      : node_(std::move(node)), references_(references), totals_(totals), wake_writer_(loop) {}

  /// Until the stream ends; says why.
  net::Task<Result<void>> run(std::unique_ptr<net::Stream> transport) {
    const std::unique_ptr<http::grpc::Client> client = http::grpc::Client::over(std::move(transport));
    const auto stream = client->open(kPath, "control");
    ask(Type::kCluster);
    ask(Type::kListener);
    co_return co_await net::both(read_all(*stream), write_all(*stream));
  }

 private:
  struct State {
    std::string version, nonce;
    std::set<std::string> names;
  };
  struct Request {
    std::string bytes;
    std::optional<Type> acknowledges;
  };
  State& of(Type type) { return states_[static_cast<std::size_t>(type)]; }

  net::Task<Result<void>> read_all(http::grpc::MessageStream& stream) {
    for (;;) {
      WEFT_CO_TRY(const std::string message, co_await stream.read());
      if (totals_.responses++; !std::exchange(introduced_, true)) ++totals_.introduced;
      totals_.bytes += message.size();
      received(message);
    }
  }

  net::Task<Result<void>> write_all(http::grpc::MessageStream& stream) {
    for (;;) {
      while (!outgoing_.empty()) {
        const Request request = std::move(outgoing_.front());
        outgoing_.pop_front();
        WEFT_CO_CHECK(co_await stream.write(request.bytes));
        if (request.acknowledges) acknowledged(*request.acknowledges);
      }
      co_await wake_writer_.wait();
    }
  }

  void acknowledged(Type type) {
    ++totals_.acks;
    totals_.last_ack = SteadyClock::now();
    if (type == Type::kRoute && !std::exchange(configured_, true)) ++totals_.configured;
  }

  void received(const std::string& message) {
    discovery::DiscoveryResponse response;
    if (!response.ParseFromString(message)) return;
    const auto type = std::ranges::find(xds::kAllTypes, response.type_url(), xds::type_url);
    if (type == xds::kAllTypes.end()) return;
    of(*type).nonce = response.nonce();
    of(*type).version = response.version_info();
    if (*type == Type::kCluster) follow(*type, Type::kEndpoint, response);
    if (*type == Type::kListener) follow(*type, Type::kRoute, response);
    ask(*type, *type);
  }

  /// Subscribes to what the clusters or listeners of a response name, when that is something else than
  /// before.
  void follow(Type type, Type wanted, const discovery::DiscoveryResponse& response) {
    std::set<std::string> names;
    for (const auto& any : response.resources())
      for (const std::string& name : references_.of(type, any.value())) names.insert(name);
    if (std::exchange(of(wanted).names, names) != names) ask(wanted);
  }

  void ask(Type type, std::optional<Type> acknowledges = {}) {
    const State& state = of(type);
    discovery::DiscoveryRequest request;
    request.set_type_url(std::string(xds::type_url(type)));
    request.set_version_info(state.version);
    request.set_response_nonce(state.nonce);
    for (const std::string& name : state.names) request.add_resource_names(name);
    if (!std::exchange(node_sent_, true)) request.mutable_node()->set_id(node_);
    outgoing_.push_back({request.SerializeAsString(), acknowledges});
    wake_writer_.notify();
  }

  std::string node_;
  References& references_;
  Totals& totals_;
  std::array<State, xds::kAllTypes.size()> states_;
  std::deque<Request> outgoing_;
  bool node_sent_ = false, introduced_ = false, configured_ = false;
  net::Signal wake_writer_;
};

struct Connecting {
  int fd;
  sockaddr_un to;
};

int connect_as_child(void* given) {
  const auto& connecting = *static_cast<Connecting*>(given);
  return ::connect(connecting.fd, reinterpret_cast<const sockaddr*>(&connecting.to), sizeof connecting.to) ==
                 0
             ? 0
             : 1;
}

/// Connects `connecting.fd` in a process of its own, which has ended when this returns: the server sees a
/// peer with that number, as it would a sidecar. 0: it could not.
pid_t connect_in_a_process(Connecting& connecting) {
  alignas(16) static std::array<char, 64 * 1024> stack;
  const pid_t pid =
      ::clone(connect_as_child, stack.data() + stack.size(), CLONE_VM | CLONE_VFORK | SIGCHLD, &connecting);
  int status = 1;
  if (pid > 0) ::waitpid(pid, &status, 0);
  return status == 0 ? pid : 0;
}

/// All the proxies. Owner: main. Thread: the loop's.
class Crowd {
 public:
  Crowd(net::Loop& loop, const char* socket, int registration, std::size_t size)
      : loop_(loop), registration_(registration), size_(size), look_(loop, [this] { look(); }) {
    address_.sun_family = AF_UNIX;
    std::strncpy(address_.sun_path, socket, sizeof address_.sun_path - 1);
  }

  void start() {
    began_ = SteadyClock::now();
    look();
  }

  void report(const char* event) const {
    const auto seconds = [](TimePoint at) {
      return std::chrono::duration<double>(at.time_since_epoch()).count();
    };
    std::printf(
        "{\"event\": \"%s\", \"configured\": %zu, \"bytes\": %llu, \"responses\": %llu, \"acks\": %llu, "
        "\"lost\": %zu, "
        "\"began\": %.6f, \"last_ack\": %.6f}\n",
        event, totals_.configured, static_cast<unsigned long long>(totals_.bytes),
        static_cast<unsigned long long>(totals_.responses), static_cast<unsigned long long>(totals_.acks),
        totals_.lost, seconds(began_), seconds(totals_.last_ack));
    std::fflush(stdout);
  }

  bool failed() const { return failed_; }

 private:
  /// Connects as many as may be strangers at once, until all are there and have their configuration.
  void look() {
    while (!failed_ && proxies_.size() < size_ && proxies_.size() < totals_.introduced + kMaxStrangers)
      if (!add()) fail_with("cannot connect: " + errno_text(errno));
    if (totals_.configured == size_) return report("configured");
    look_.arm(loop_.now() + 1ms);
  }

  bool add() {
    net::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    Connecting connecting{fd.get(), address_};
    const pid_t pid = fd ? connect_in_a_process(connecting) : 0;
    if (pid == 0 || ::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) return false;
    const std::string pod = "simulated-" + std::to_string(proxies_.size());
    const std::string line = "add " + std::to_string(pid) + " 0 default " + pod + " default\n";
    if (::write(registration_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) return false;
    auto socket = net::Socket::adopt(loop_, std::move(fd));
    if (!socket) return false;
    const std::string node = "sidecar~198.18.255.1~" + pod + ".default~default.svc.cluster.local";
    proxies_.push_back(std::make_unique<Proxy>(loop_, node, references_, totals_));
    tasks_.spawn(run(*proxies_.back(), std::move(*socket)));
    return true;
  }

  net::Task<void> run(Proxy& proxy, std::unique_ptr<net::Socket> socket) {
    const Result<void> ended = co_await proxy.run(std::move(socket));
    if (totals_.lost++ == 0)
      std::fprintf(stderr, "ads_load: a stream has ended: %s\n",
                   ended ? "closed" : ended.error().text.c_str());
  }

  void fail_with(const std::string& reason) {
    if (std::exchange(failed_, true)) return;
    std::fprintf(stderr, "ads_load: %s\n", reason.c_str());
    loop_.stop();
  }

  net::Loop& loop_;
  sockaddr_un address_{};
  int registration_;
  std::size_t size_;
  bool failed_ = false;
  TimePoint began_{};
  References references_;
  Totals totals_;
  std::vector<std::unique_ptr<Proxy>> proxies_;
  net::Timer look_;
  net::TaskScope tasks_;
};

int run(const char* socket, int registration, std::size_t size) {
  net::Loop loop;
  Crowd crowd(loop, socket, registration, size);
  std::jthread commands([&] {
    for (std::string line; std::getline(std::cin, line);) loop.post([&crowd] { crowd.report("asked"); });
    loop.stop();
  });
  crowd.start();
  loop.run();
  // Reading cannot be interrupted, and nothing is left to be told.
  if (crowd.failed()) std::_Exit(1);
  return 0;
}

}  // namespace
}  // namespace weft::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: ads_load XDS_SOCKET REGISTRATION_FD PROXIES\n");
    return 2;
  }
  return weft::bench::run(argv[1], std::atoi(argv[2]), static_cast<std::size_t>(std::atoll(argv[3])));
}
