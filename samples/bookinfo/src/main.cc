#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/compat.h"
#include "common/environment.h"
#include "common/server.h"
#include "details/details.h"
#include "mongodb/mongodb.h"
#include "mysqldb/mysqldb.h"
#include "productpage/productpage.h"
#include "ratings/versions.h"
#include "reviews/reviews.h"

namespace bookinfo {
namespace {

namespace asio = boost::asio;

constexpr const char* kUsage =
    "usage: bookinfo SERVICE PORT [--compat 0.2.9]\n"
    "\n"
    "SERVICE is productpage, details, reviews or ratings. PORT 0 takes a free port; the one\n"
    "taken is printed as `listening on [::]:PORT`. BIND_ADDRESS names the address to listen\n"
    "on; without it that is all of them. --compat 0.2.9, or BOOKINFO_COMPAT=0.2.9, shows the\n"
    "behaviour of that release. samples/bookinfo/README.md lists the variables that choose a\n"
    "service's version.\n"
    "\n"
    "       bookinfo mysqldb PORT [OPTION...]\n"
    "\n"
    "becomes MariaDB's server with the table of ratings v2 in it.\n"
    "\n"
    "       bookinfo mongodb PORT -- COMMAND...\n"
    "\n"
    "becomes the MongoDB server that COMMAND starts on PORT, with the ratings in it.\n";

/// Longer than the slowest answer there is: details waiting for its book.
constexpr std::chrono::seconds kLongestDrain{35};
static_assert(kLongestDrain > details::BookService::kLongest);

enum Exit : int { kDone = 0, kFailed = 1, kWrongUse = 2 };

using Made = std::expected<std::unique_ptr<Service>, std::string>;

Made make_details(const Environment& environment) {
  return std::make_unique<details::Details>(details::BookService::settings_of(environment));
}

Made make_reviews(const Environment& environment) {
  return std::make_unique<reviews::Reviews>(reviews::Settings::of(environment));
}

Made make_productpage(const Environment& environment) {
  auto settings = productpage::Productpage::settings_of(environment);
  if (!settings) return std::unexpected(settings.error());
  return std::make_unique<productpage::Productpage>(environment, std::move(*settings));
}

struct Kind {
  std::string_view name;
  Made (*make)(const Environment&);
};
constexpr Kind kKinds[] = {
    {"productpage", make_productpage},
    {"details", make_details},
    {"reviews", make_reviews},
    {"ratings", ratings::make},
};

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, port);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return port;
}

int fail(const std::string& text) {
  std::fprintf(stderr, "bookinfo: %s\n", text.c_str());
  return kFailed;
}

extern "C" void give_up(int) { ::_exit(kFailed); }

/// The first SIGTERM or SIGINT lets the server finish what it has; a second one, or the end of the drain
/// time, gives up on that. Process 1 of a container has no default actions for signals, hence handlers that
/// exit.
void on_first_signal(Server& server, asio::signal_set& signals) {
  server.stop();
  // A signal set that still waits would keep the context busy; from here on only requests may.
  signals.clear();
  for (const int signal : {SIGTERM, SIGINT, SIGALRM}) std::signal(signal, give_up);
  ::alarm(static_cast<unsigned>(kLongestDrain.count()));
}

/// As many connections as there are descriptors for; the usual soft limit of 1024 is for programs that use
/// select. A quarter is left for calls of other services.
ServerLimits limits_of_process() {
  ServerLimits limits;
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return limits;
  descriptors.rlim_cur = descriptors.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &descriptors);
  limits.connections = std::min<std::size_t>(limits.connections, descriptors.rlim_max / 4 * 3);
  return limits;
}

int serve(const Kind& kind, std::uint16_t port, const Environment& environment) {
  if (const auto compat = compat_of(environment); !compat) return fail(compat.error());
  Made service = kind.make(environment);
  if (!service) return fail(service.error());
  asio::io_context context(1);
  Server server(context, **service, std::string(kind.name), limits_of_process());
  const auto listening = server.listen(environment.get("BIND_ADDRESS", ""), port);
  if (!listening) return fail(listening.error());
  asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([&server, &signals](boost::system::error_code error, int) {
    if (!error) on_first_signal(server, signals);
  });
  std::printf("%s: listening on %s\n", std::string(kind.name).c_str(), server.local_address().c_str());
  context.run();
  // Nothing is left to finish, but a lookup that no name server answers may still hold a thread; leave
  // without it.
  std::fflush(nullptr);
  ::_exit(kDone);
}

/// What the command line says.
struct CommandLine {
  std::vector<std::string_view> words;
  std::optional<std::string_view> compat;
  bool asks_for_help = false;
};

/// Nothing when `--compat` lacks its version.
std::optional<CommandLine> parse(std::span<const char* const> arguments) {
  constexpr std::string_view kCompat = "--compat";
  CommandLine line;
  for (std::size_t at = 1; at < arguments.size(); ++at) {
    const std::string_view word = arguments[at];
    if (word == "--help" || word == "-h") {
      line.asks_for_help = true;
    } else if (word == kCompat) {
      if (++at == arguments.size()) return std::nullopt;
      line.compat = arguments[at];
    } else if (word.starts_with(kCompat) && word.substr(kCompat.size()).starts_with('=')) {
      line.compat = word.substr(kCompat.size() + 1);
    } else {
      line.words.push_back(word);
    }
  }
  return line;
}

int run(std::span<const char* const> arguments) {
  if (arguments.size() >= 3 && arguments[1] == std::string_view("mysqldb")) {
    if (!parse_port(arguments[2])) return fail(std::string("'") + arguments[2] + "' is not a port");
    return fail(mysqldb::become(arguments[2], arguments.subspan(3), Environment::of_process()));
  }
  if (arguments.size() >= 5 && arguments[1] == std::string_view("mongodb") &&
      arguments[3] == std::string_view("--")) {
    if (!parse_port(arguments[2])) return fail(std::string("'") + arguments[2] + "' is not a port");
    return fail(mongodb::become(arguments[2], arguments.subspan(4)));
  }
  const auto line = parse(arguments);
  if (line && line->asks_for_help) {
    std::fputs(kUsage, stdout);
    return kDone;
  }
  if (!line || line->words.size() != 2) {
    std::fputs(kUsage, stderr);
    return kWrongUse;
  }
  const std::string service(line->words[0]);
  const std::string port_text(line->words[1]);
  const auto port = parse_port(port_text);
  if (!port) return fail("'" + port_text + "' is not a port: a number from 0 to 65535");
  Environment environment = Environment::of_process();
  if (line->compat) environment.set(kCompatVariable, *line->compat);
  for (const Kind& kind : kKinds) {
    if (kind.name == service) return serve(kind, *port, environment);
  }
  std::fprintf(stderr, "bookinfo: there is no service '%s'\n%s", service.c_str(), kUsage);
  return kWrongUse;
}

/// MongoDB's driver makes a file of counters in shared memory as soon as it is loaded, and takes it away only
/// at an orderly exit, which SIGKILL or `_exit` is not. Without its name the memory goes with the process.
/// Nobody else than a tool of the driver's, which this sample has no use for, looks at the file.
void forget_counters_of_mongodb() {
  const std::string name = "/mongoc-" + std::to_string(::getpid());
  ::shm_unlink(name.c_str());
}

}  // namespace
}  // namespace bookinfo

int main(int count, char** arguments) {
  bookinfo::forget_counters_of_mongodb();
  std::signal(SIGPIPE, SIG_IGN);
  // A log reader on a pipe should see each line as it happens.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return bookinfo::run(std::span<const char* const>(arguments, static_cast<std::size_t>(count)));
}
