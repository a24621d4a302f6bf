#pragma once

#include <string>

#include "ratings/database.h"

namespace bookinfo::ratings {

/// Stars in collection `ratings`, field `rating`, on a MongoDB server elsewhere.
class MongodbDatabase final : public Database {
 public:
  /// `url` may be empty or wrong: then every read fails to connect, as in the original. The database is
  /// always `test`; `in_2017` takes the one that the URL names.
  MongodbDatabase(std::string url, bool in_2017);

  RatingRows read(Deadline deadline) override;
  std::string_view read_error() const override { return "could not load ratings from database"; }

 private:
  std::string url_;
  bool in_2017_;
};

}  // namespace bookinfo::ratings
