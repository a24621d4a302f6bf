#pragma once

#include <boost/json/array.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace bookinfo::ratings {

using Deadline = std::chrono::steady_clock::time_point;

/// As drivers want to be told; at least 1, for 0 often means no bound.
std::int32_t milliseconds_until(Deadline deadline);

/// Why a database gave no stars.
struct Failure {
  enum class Kind {
    kConnect,  ///< not reached, not let in, or not a database at all
    kRead,     ///< reached, but the ratings could not be read
    kBusy,     ///< reached, but locked or too slow for the deadline
  };
  Kind kind;
  std::string why;  ///< one line for the log; never a password
};

/// Rating values in the order the database gives them, at most two, as they are: what is no whole number
/// there is none here.
using RatingRows = std::expected<boost::json::array, Failure>;

/// A number as JSON writes it: a whole one without a fraction, and null for what is no number.
boost::json::value number(double value);

/// Where ratings v2 finds its stars.
///
/// Thread: `read` blocks, and is called from several worker threads at once; each call opens a connection of
/// its own, as the original service did, so that a database that went and came back is found.
class Database {
 public:
  virtual ~Database() = default;

  /// The first two ratings. Returns soon after the deadline at the latest, as far as the driver allows.
  virtual RatingRows read(Deadline deadline) = 0;

  /// Part of this process, so that `/health` looks at it. A server elsewhere is not this process's health.
  virtual bool is_embedded() const { return false; }

  /// What clients are told when the ratings could not be read.
  virtual std::string_view read_error() const = 0;
};

}  // namespace bookinfo::ratings
