#include "control/identity/registrations.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>

#include "base/log.h"
#include "base/strings.h"

namespace weft::control {
namespace {

constexpr std::size_t kMaxLine = 4096;
// A launcher script and what it starts are one sidecar; deeper than this is the child of another process.
constexpr int kMaxAncestors = 4;

struct ProcessFacts {
  int parent = 0;
  std::uint64_t start_time = 0;
};

std::optional<ProcessFacts> facts_of(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  // The program's name stands in parentheses and may hold anything, these included.
  auto name_end = text.rfind(')');
  if (name_end == text.npos) return std::nullopt;
  std::istringstream rest(text.substr(name_end + 1));
  ProcessFacts facts;
  std::string word;
  for (int field = 3; rest >> word; ++field) {
    if (field == 4) std::from_chars(word.data(), word.data() + word.size(), facts.parent);
    if (field == 22) std::from_chars(word.data(), word.data() + word.size(), facts.start_time);
  }
  return facts;
}

template <class Number>
bool parse_number(std::string_view text, Number& into) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc() && end == text.data() + text.size();
}

Peer peer_of(const Registration& registration) {
  return {registration.ns, registration.pod, registration.service_account, registration.pid, false};
}

}  // namespace

Result<std::unique_ptr<Registrations>> Registrations::adopt(net::Loop& loop, net::Fd channel) {
  auto made = std::make_unique<Registrations>();
  int flags = fcntl(channel.get(), F_GETFL);
  if (flags < 0 || fcntl(channel.get(), F_SETFL, flags | O_NONBLOCK) < 0)
    return fail(Error::config(Code::kInvalid, "registration channel: descriptor " +
                                                  std::to_string(channel.get()) + ": " + errno_text(errno)));
  fcntl(channel.get(), F_SETFD, FD_CLOEXEC);
  made->channel_ = std::move(channel);
  WEFT_CHECK(made->watch_.start(loop, made->channel_.get(), *made));
  made->drain();
  return made;
}

void Registrations::on_ready(Ready) { drain(); }

void Registrations::drain() {
  std::array<char, 16 * 1024> buffer{};
  while (channel_) {
    ssize_t got = recv(channel_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (got <= 0) {
      WEFT_LOG(kWarn, "control", "the registration channel has ended");
      watch_.stop();
      channel_.reset();
      break;
    }
    partial_.append(buffer.data(), static_cast<std::size_t>(got));
    std::size_t from = 0;
    for (auto end = partial_.find('\n'); end != partial_.npos; end = partial_.find('\n', from)) {
      take_line(std::string_view(partial_).substr(from, end - from));
      from = end + 1;
    }
    partial_.erase(0, from);
    if (partial_.size() > kMaxLine) partial_.clear();
  }
}

void Registrations::take_line(std::string_view line) {
  auto words = split(line, ' ');
  Registration made;
  if (words.size() == 2 && words[0] == "remove" && parse_number(words[1], made.pid)) {
    by_pid_.erase(made.pid);
    return;
  }
  if (words.size() != 6 || words[0] != "add" || !parse_number(words[1], made.pid) ||
      !parse_number(words[2], made.start_time)) {
    WEFT_LOG(kWarn, "control", "a line of the registration channel is none", {"line", line});
    return;
  }
  made.ns = words[3];
  made.pod = words[4];
  made.service_account = words[5];
  by_pid_[made.pid] = std::move(made);
}

net::Task<std::expected<Peer, Rejection>> Registrations::identify(const http::grpc::Call& call) {
  auto found = call.peer ? find(call.peer->pid) : std::nullopt;
  if (!found)
    co_return std::unexpected(
        Rejection{http::grpc::kPermissionDenied, "this process was not started as a sidecar of this mesh"});
  co_return peer_of(*found);
}

std::vector<Peer> Registrations::running() {
  std::vector<Peer> peers;
  for (const auto& [pid, registration] : all()) peers.push_back(peer_of(registration));
  return peers;
}

const std::map<int, Registration>& Registrations::all() {
  drain();
  return by_pid_;
}

std::optional<Registration> Registrations::find(int pid) {
  drain();
  for (int step = 0; step < kMaxAncestors && pid > 1; ++step) {
    auto facts = facts_of(pid);
    if (auto found = by_pid_.find(pid); found != by_pid_.end()) {
      const Registration& known = found->second;
      // A number that the kernel has given to another process since then says nothing about that process.
      bool same = !facts || known.start_time == 0 || known.start_time == facts->start_time;
      return same ? std::optional(known) : std::nullopt;
    }
    if (!facts) break;
    pid = facts->parent;
  }
  return std::nullopt;
}

}  // namespace weft::control
