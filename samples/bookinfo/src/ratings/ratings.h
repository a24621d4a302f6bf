#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <unordered_map>

#include "common/service.h"

namespace bookinfo::ratings {

/// Stars by reviewer. Every product has five and four stars until a POST replaces them; what was posted is
/// kept in memory, per product, and is gone after a restart.
class Ratings final : public Service {
 public:
  boost::asio::awaitable<Response> handle(const Request& request) override;

 private:
  Response answer(const Request& request);
  Response show(std::int64_t product) const;
  Response store(std::int64_t product, const std::string& body);

  std::unordered_map<std::int64_t, boost::json::value> posted_;
};

}  // namespace bookinfo::ratings
