#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "ratings/database.h"

namespace bookinfo::ratings {

/// Stars in an SQLite file: table `ratings` (`ReviewID`, `Rating`). The file is made, and the table with its
/// two rows, when they are not there at start; what cannot be made then is tried again with each request.
/// A table that is there stays as it is. A file that goes away later is an error, not a reason for a new one.
class SqliteDatabase final : public Database {
 public:
  explicit SqliteDatabase(std::string file) : file_(std::move(file)) {}

  /// Makes what is missing. Nothing when all is there; kBusy when somebody's lock did not pass in time.
  std::optional<Failure> prepare(Deadline deadline);

  RatingRows read(Deadline deadline) override;
  bool is_embedded() const override { return true; }
  std::string_view read_error() const override { return "could not perform select"; }

 private:
  std::string file_;
  std::timed_mutex preparing_;
  std::atomic<bool> is_prepared_ = false;
};

}  // namespace bookinfo::ratings
