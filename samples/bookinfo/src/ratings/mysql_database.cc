#include "ratings/mysql_database.h"

#include <errmsg.h>
#include <mysql.h>
#include <mysqld_error.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <memory>
#include <string>
#include <utility>

namespace bookinfo::ratings {

namespace {

constexpr unsigned kLongestConnectSeconds = 10;
constexpr unsigned long kMostBytesPerPacket = 64 * 1024;
constexpr const char* kSelect = "SELECT Rating FROM ratings LIMIT 2";

using Connection = std::unique_ptr<MYSQL, decltype(&mysql_close)>;
using Result = std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)>;

/// The library keeps something for each thread that calls it.
struct OfThisThread {
  OfThisThread() { mysql_thread_init(); }
  ~OfThisThread() { mysql_thread_end(); }
};

/// The library counts in seconds; at least one, and rounded down, so that its own error comes before the
/// deadline that the event loop keeps.
unsigned seconds_until(Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(deadline - Deadline::clock::now());
  return static_cast<unsigned>(std::max<std::int64_t>(left.count(), 1));
}

Connection connect(const MysqlAddress& to, Deadline deadline) {
  Connection connection(mysql_init(nullptr), mysql_close);
  if (connection == nullptr) return connection;
  MYSQL* raw = connection.get();
  const unsigned left = seconds_until(deadline), to_connect = std::min(left, kLongestConnectSeconds);
  const unsigned by_tcp = MYSQL_PROTOCOL_TCP, no = 0;
  // A session that waits for a lock ends by itself: the server does not notice a client that gave up.
  const std::string bounded_waits = "SET SESSION lock_wait_timeout = " + std::to_string(left);
  mysql_optionsv(raw, MYSQL_OPT_PROTOCOL, &by_tcp);
  mysql_optionsv(raw, MYSQL_OPT_CONNECT_TIMEOUT, &to_connect);
  mysql_optionsv(raw, MYSQL_OPT_READ_TIMEOUT, &left);
  mysql_optionsv(raw, MYSQL_OPT_WRITE_TIMEOUT, &left);
  mysql_optionsv(raw, MYSQL_OPT_LOCAL_INFILE, &no);  // a server may not ask for files of this machine
  mysql_optionsv(raw, MYSQL_OPT_MAX_ALLOWED_PACKET, &kMostBytesPerPacket);
  mysql_optionsv(raw, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_optionsv(raw, MYSQL_INIT_COMMAND, bounded_waits.c_str());
  mysql_real_connect(raw, to.host.c_str(), to.user.c_str(), to.password.c_str(), "test", to.port, nullptr, 0);
  return connection;
}

std::unexpected<Failure> failure_of(MYSQL* connection, Failure::Kind kind) {
  const unsigned code = mysql_errno(connection);
  if (kind == Failure::Kind::kRead && code == ER_LOCK_WAIT_TIMEOUT) kind = Failure::Kind::kBusy;
  return std::unexpected(Failure{kind, mysql_error(connection)});
}

boost::json::value value_of(const MYSQL_FIELD& field, const char* text, unsigned long length) {
  if (text == nullptr) return nullptr;
  const std::string_view value(text, length);
  if (!IS_NUM(field.type)) return boost::json::string(value);
  boost::system::error_code error;
  const auto number = boost::json::parse(value, error);
  return error ? boost::json::value(boost::json::string(value)) : number;
}

boost::json::array rows_of(MYSQL_RES* result) {
  boost::json::array rows;
  const MYSQL_FIELD* field = mysql_fetch_field_direct(result, 0);
  while (const MYSQL_ROW row = mysql_fetch_row(result)) {
    rows.push_back(value_of(*field, row[0], mysql_fetch_lengths(result)[0]));
  }
  return rows;
}

}  // namespace

MysqlDatabase::MysqlDatabase(MysqlAddress address, bool in_2017)
    : address_(std::move(address)), in_2017_(in_2017) {
  mysql_library_init(0, nullptr, nullptr);
}

RatingRows MysqlDatabase::read(Deadline deadline) {
  static thread_local const OfThisThread of_this_thread;
  const Connection connection = connect(address_, deadline);
  if (connection == nullptr) return std::unexpected(Failure{Failure::Kind::kConnect, "out of memory"});
  MYSQL* raw = connection.get();
  if (mysql_errno(raw) != 0) return failure_of(raw, Failure::Kind::kConnect);
  if (mysql_query(raw, kSelect) != 0) return failure_of(raw, Failure::Kind::kRead);
  const Result result(mysql_store_result(raw), mysql_free_result);
  if (result == nullptr || mysql_num_fields(result.get()) == 0) return failure_of(raw, Failure::Kind::kRead);
  return rows_of(result.get());
}

std::string_view MysqlDatabase::read_error() const {
  return in_2017_ ? "could not connect to ratings database" : "could not perform select";
}

}  // namespace bookinfo::ratings
