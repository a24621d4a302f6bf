#include "ratings/sqlite_database.h"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace bookinfo::ratings {

namespace {

constexpr int kMostBytesPerValue = 64 * 1024;
constexpr int kStepsBetweenLooksAtTheClock = 10'000;

constexpr const char* kMakeAndSeed =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE ratings (ReviewID INTEGER NOT NULL PRIMARY KEY, Rating INTEGER);"
    "INSERT INTO ratings VALUES (1, 5), (2, 4);"
    "COMMIT;";

using Connection = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;
using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

/// Not a plain file: opening a pipe would wait for its other end.
bool is_no_file(const std::string& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored) && !std::filesystem::is_regular_file(file, ignored);
}

int is_past(void* deadline) {
  return std::chrono::steady_clock::now() > *static_cast<const Deadline*>(deadline) ? 1 : 0;
}

/// `deadline` must outlive the connection.
Connection open(const std::string& file, int flags, Deadline& deadline) {
  sqlite3* raw = nullptr;
  if (is_no_file(file)) return {nullptr, sqlite3_close};
  sqlite3_open_v2(file.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Connection connection(raw, sqlite3_close);
  if (connection == nullptr) return connection;
  sqlite3_busy_timeout(raw, milliseconds_until(deadline));
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, kMostBytesPerValue);
  sqlite3_progress_handler(raw, kStepsBetweenLooksAtTheClock, is_past, &deadline);
  return connection;
}

Failure::Kind kind_of(int code) {
  switch (code) {
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
    case SQLITE_PERM:
    case SQLITE_NOMEM: return Failure::Kind::kConnect;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT: return Failure::Kind::kBusy;
    default: return Failure::Kind::kRead;
  }
}

Failure failure_of(const Connection& connection, const std::string& file) {
  if (connection == nullptr) return {Failure::Kind::kConnect, file + ": is not a file"};
  return {kind_of(sqlite3_errcode(connection.get())), file + ": " + sqlite3_errmsg(connection.get())};
}

Statement select(const Connection& connection) {
  sqlite3_stmt* raw = nullptr;
  sqlite3_prepare_v2(connection.get(), "SELECT Rating FROM ratings LIMIT 2", -1, &raw, nullptr);
  return {raw, sqlite3_finalize};
}

boost::json::value value_of(sqlite3_stmt* row) {
  switch (sqlite3_column_type(row, 0)) {
    case SQLITE_INTEGER: return static_cast<std::int64_t>(sqlite3_column_int64(row, 0));
    case SQLITE_FLOAT: return number(sqlite3_column_double(row, 0));
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, 0));
      return boost::json::string(text, static_cast<std::size_t>(sqlite3_column_bytes(row, 0)));
    }
    default: return nullptr;
  }
}

/// What keeps the table from being made is told as not reached; a lock passes, and is told as busy.
Failure not_prepared(const Connection& connection, const std::string& file) {
  Failure failure = failure_of(connection, file);
  if (failure.kind == Failure::Kind::kRead) failure.kind = Failure::Kind::kConnect;
  return failure;
}

std::optional<Failure> make_table(const std::string& file, Deadline& deadline) {
  const Connection made = open(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, deadline);
  if (!made || sqlite3_errcode(made.get()) != SQLITE_OK) return not_prepared(made, file);
  if (select(made)) return std::nullopt;
  if (sqlite3_exec(made.get(), kMakeAndSeed, nullptr, nullptr, nullptr) == SQLITE_OK) return std::nullopt;
  Failure failure = not_prepared(made, file);
  // Another process may have made it in between.
  if (select(made)) return std::nullopt;
  return failure;
}

}  // namespace

std::optional<Failure> SqliteDatabase::prepare(Deadline deadline) {
  if (is_prepared_) return std::nullopt;
  const std::unique_lock lock(preparing_, deadline);
  if (!lock) return Failure{Failure::Kind::kBusy, file_ + ": another request waits for it"};
  // A table that is there, in a file that may not be written, is all that is needed.
  const Connection there = open(file_, SQLITE_OPEN_READONLY, deadline);
  if (there && !select(there)) {
    Failure failure = failure_of(there, file_);
    if (failure.kind == Failure::Kind::kBusy) return failure;
    if (auto wrong = make_table(file_, deadline)) return wrong;
  } else if (!there) {
    return not_prepared(there, file_);
  }
  is_prepared_ = true;
  return std::nullopt;
}

RatingRows SqliteDatabase::read(Deadline deadline) {
  if (auto failure = prepare(deadline)) return std::unexpected(std::move(*failure));
  const Connection connection = open(file_, SQLITE_OPEN_READONLY, deadline);
  if (!connection) return std::unexpected(failure_of(connection, file_));
  const Statement statement = select(connection);
  if (!statement) return std::unexpected(failure_of(connection, file_));
  boost::json::array rows;
  int step = SQLITE_ROW;
  while ((step = sqlite3_step(statement.get())) == SQLITE_ROW) rows.push_back(value_of(statement.get()));
  if (step != SQLITE_DONE) return std::unexpected(failure_of(connection, file_));
  return rows;
}

}  // namespace bookinfo::ratings
