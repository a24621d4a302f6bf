#include "ratings/versions.h"

#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <utility>

#include "common/compat.h"
#include "common/request_log.h"
#include "ratings/mongodb_database.h"
#include "ratings/mysql_database.h"
#include "ratings/ratings.h"
#include "ratings/sqlite_database.h"

namespace bookinfo::ratings {

namespace {

using namespace std::chrono_literals;
using MadeDatabase = std::expected<std::unique_ptr<Database>, std::string>;

constexpr std::chrono::milliseconds kShortestTimeout = 100ms;
constexpr std::chrono::milliseconds kLongestTimeout = 20s;
constexpr int kFastestClock = 100'000;

std::optional<int> number_between(std::string_view text, int least, int most) {
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = read.ec == std::errc{} && read.ptr == text.data() + text.size();
  return is_number && value >= least && value <= most ? std::optional(value) : std::nullopt;
}

/// The number in a variable, `fallback` when it is not set.
std::expected<int, std::string> number_of(const Environment& environment, std::string_view name, int fallback,
                                          int least, int most) {
  const auto text = environment.find(name);
  if (!text) return fallback;
  if (const auto value = number_between(*text, least, most)) return *value;
  return std::unexpected(std::string(name) + "=" + *text + ": must be a number from " +
                         std::to_string(least) + " to " + std::to_string(most));
}

MadeDatabase make_sqlite(const Environment& environment) {
  const std::string file = environment.get("SQLITE_FILE", "");
  if (file.empty()) return std::unexpected("DB_TYPE=sqlite needs SQLITE_FILE, the path of the file");
  auto database = std::make_unique<SqliteDatabase>(file);
  // Not a reason to end: the disk may have room again later, and /health says what is wrong until then.
  if (const auto failure = database->prepare(Deadline::clock::now() + 1s)) {
    log_failure("ratings", {}, "the database is not ready: " + failure->why);
  }
  return database;
}

MadeDatabase make_mysql(const Environment& environment, bool is_2017) {
  const auto port = number_of(environment, "MYSQL_DB_PORT", 3306, 1, 65535);
  if (!port) return std::unexpected(port.error());
  MysqlAddress address{.host = environment.get("MYSQL_DB_HOST", "127.0.0.1"),
                       .port = static_cast<std::uint16_t>(*port),
                       .user = environment.get("MYSQL_DB_USER", ""),
                       .password = environment.get("MYSQL_DB_PASSWORD", "")};
  return std::make_unique<MysqlDatabase>(std::move(address), is_2017);
}

MadeDatabase make_database(const Environment& environment, bool is_2017) {
  const std::string type = environment.get("DB_TYPE", "");
  if (type == "sqlite") return make_sqlite(environment);
  if (type == "mysql") return make_mysql(environment, is_2017);
  return std::make_unique<MongodbDatabase>(environment.get("MONGO_DB_URL", ""), is_2017);
}

}  // namespace

std::expected<std::unique_ptr<Service>, std::string> make(const Environment& environment) {
  Settings settings;
  settings.is_2017 = is_compat_029(environment);
  const auto timeout =
      number_of(environment, "DATABASE_TIMEOUT_MS", static_cast<int>(settings.database_timeout.count()),
                static_cast<int>(kShortestTimeout.count()), static_cast<int>(kLongestTimeout.count()));
  if (!timeout) return std::unexpected(timeout.error());
  settings.database_timeout = std::chrono::milliseconds(*timeout);
  const auto speed = number_of(environment, "FAULT_CLOCK_SPEED", 1, 1, kFastestClock);
  if (!speed) return std::unexpected(speed.error());

  const std::string version = environment.get("SERVICE_VERSION", "v1");
  if (version == "v2") {
    auto database = make_database(environment, settings.is_2017);
    if (!database) return std::unexpected(database.error());
    settings.database = std::move(*database);
  } else if (const auto kind = Faults::kind_of(version); kind && !settings.is_2017) {
    settings.faults.emplace(*kind, clock_of_speed(Faults::Clock::now, *speed), std::random_device{}());
  }
  return std::make_unique<Ratings>(std::move(settings));
}

}  // namespace bookinfo::ratings
