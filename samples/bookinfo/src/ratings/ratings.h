#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "common/service.h"
#include "ratings/database.h"
#include "ratings/database_workers.h"
#include "ratings/faults.h"

namespace bookinfo::ratings {

/// What makes one version of ratings differ from another.
struct Settings {
  std::unique_ptr<Database> database;  ///< v2; without one, stars are in memory
  std::chrono::milliseconds database_timeout{15'000};
  std::optional<Faults> faults;  ///< v-faulty and so on
  bool is_2017 = false;          ///< as in release 0.2.9: no POST, and one error text for all of MySQL
};

/// Stars by reviewer. In memory every product has five and four stars until a POST replaces them; what was
/// posted is kept per product, 2 MiB in all, and is gone after a restart. From a database all products have
/// the same stars, and nothing can be posted.
class Ratings final : public Service {
 public:
  explicit Ratings(Settings settings);

  boost::asio::awaitable<Response> handle(const Request& request) override;
  Response refuse(unsigned status, std::string_view reason) override;

 private:
  boost::asio::awaitable<Response> health();
  boost::asio::awaitable<Response> show(std::int64_t product, const Headers& headers);
  boost::asio::awaitable<Response> show_database(std::int64_t product, const Headers& headers);
  boost::asio::awaitable<RatingRows> read_database(std::chrono::milliseconds timeout);
  Response show_memory(std::int64_t product) const;
  Response show_failure(const Failure& failure, const Headers& headers) const;
  Response store(std::int64_t product, const std::string& body);

  Settings settings_;
  std::unordered_map<std::int64_t, std::string> posted_;  ///< as JSON: a tree of it may be 50 times as large
  std::size_t bytes_kept_ = 0;                            ///< by `posted_`, about
  DatabaseWorkers workers_;                               ///< last: its threads use the database
};

}  // namespace bookinfo::ratings
