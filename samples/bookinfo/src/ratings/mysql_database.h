#pragma once

#include <cstdint>
#include <string>

#include "ratings/database.h"

namespace bookinfo::ratings {

/// Where a MySQL or MariaDB server is, and who asks it.
struct MysqlAddress {
  std::string host;
  std::uint16_t port = 3306;
  std::string user;
  std::string password;
};

/// Stars in table `ratings` of database `test`, column `Rating`, on a server elsewhere. Always TCP, so that a
/// sidecar carries it; signs in with the method `mysql_native_password`. Whatever the server sends, an
/// exchange takes at most 512 KiB and ends at the deadline.
class MysqlDatabase final : public Database {
 public:
  /// `in_2017`: a failed select is told like a failed connection, as release 0.2.9 did.
  MysqlDatabase(MysqlAddress address, bool in_2017);

  RatingRows read(Deadline deadline) override;
  std::string_view read_error() const override;

 private:
  MysqlAddress address_;
  bool in_2017_;
};

}  // namespace bookinfo::ratings
