#include "ratings/mysql_database.h"

#include <errmsg.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <sys/socket.h>

// After mysql.h, which it needs.
#include <ma_pvio.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <memory>
#include <string>
#include <utility>

/// Exported by the library, and in none of its headers: calls back after each read (mode 0) and write of any
/// connection, in the thread that made it.
extern "C" int ma_pvio_register_callback(my_bool registers,
                                         void (*callback)(int mode, MYSQL* mysql, const unsigned char* bytes,
                                                          std::size_t count));

namespace bookinfo::ratings {

namespace {

constexpr unsigned kLongestConnectSeconds = 10;
constexpr unsigned long kMostBytesPerPacket = 64 * 1024;
/// Of a whole exchange: greeting, answers, description of the columns and rows.
constexpr std::size_t kMostBytesPerExchange = 512 * 1024;
constexpr std::size_t kMostRows = 2;
constexpr const char* kSelect = "SELECT Rating FROM ratings LIMIT 2";

using Connection = std::unique_ptr<MYSQL, decltype(&mysql_close)>;
using Result = std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)>;

/// The library keeps something for each thread that calls it.
struct OfThisThread {
  OfThisThread() { mysql_thread_init(); }
  ~OfThisThread() { mysql_thread_end(); }
};

/// What the exchange of this thread may still use.
struct Allowance {
  Deadline deadline;
  std::size_t bytes = kMostBytesPerExchange;
};
thread_local Allowance allowance;

void shut(MYSQL* mysql) { ::shutdown(static_cast<int>(mysql_get_socket(mysql)), SHUT_RDWR); }

/// The library's own timeouts are per read, and it keeps the description of columns however long it is: a
/// server that says a byte now and then, or that never ends, is bounded here.
extern "C" void after_read_or_write(int mode, MYSQL* mysql, const unsigned char*, std::size_t count) {
  constexpr int kRead = 0;
  const bool has_failed = static_cast<std::ptrdiff_t>(count) < 0;
  if (mode != kRead || has_failed || mysql == nullptr || mysql->net.pvio == nullptr) return;
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(allowance.deadline - Deadline::clock::now());
  if (count > allowance.bytes || left.count() <= 0) return shut(mysql);
  allowance.bytes -= count;
  mysql->net.pvio->timeout[PVIO_READ_TIMEOUT] = static_cast<int>(left.count());
}

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

/// Reads as they come, for the server may send more than it was asked for; on to the end where there is one.
RatingRows rows_of(MYSQL* connection) {
  const Result result(mysql_use_result(connection), mysql_free_result);
  if (result == nullptr || mysql_num_fields(result.get()) == 0)
    return failure_of(connection, Failure::Kind::kRead);
  const MYSQL_FIELD* field = mysql_fetch_field_direct(result.get(), 0);
  boost::json::array rows;
  while (const MYSQL_ROW row = mysql_fetch_row(result.get())) {
    if (rows.size() == kMostRows) {
      // What frees the result would read the rest of it first.
      shut(connection);
      return rows;
    }
    rows.push_back(value_of(*field, row[0], mysql_fetch_lengths(result.get())[0]));
  }
  if (mysql_errno(connection) != 0) return failure_of(connection, Failure::Kind::kRead);
  return rows;
}

}  // namespace

MysqlDatabase::MysqlDatabase(MysqlAddress address, bool in_2017)
    : address_(std::move(address)), in_2017_(in_2017) {
  mysql_library_init(0, nullptr, nullptr);
  static const int registered = ma_pvio_register_callback(1, after_read_or_write);
  static_cast<void>(registered);
}

RatingRows MysqlDatabase::read(Deadline deadline) {
  static thread_local const OfThisThread of_this_thread;
  allowance = {.deadline = deadline};
  const Connection connection = connect(address_, deadline);
  if (connection == nullptr) return std::unexpected(Failure{Failure::Kind::kConnect, "out of memory"});
  MYSQL* raw = connection.get();
  if (mysql_errno(raw) != 0) return failure_of(raw, Failure::Kind::kConnect);
  if (mysql_query(raw, kSelect) != 0) return failure_of(raw, Failure::Kind::kRead);
  return rows_of(raw);
}

std::string_view MysqlDatabase::read_error() const {
  return in_2017_ ? "could not connect to ratings database" : "could not perform select";
}

}  // namespace bookinfo::ratings
