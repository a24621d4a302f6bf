#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "http/rules.h"

namespace weft::http::h1 {

/// How a body is delimited (RFC 9112 §6.3).
struct Framing {
  enum class Kind : std::uint8_t { kNone, kLength, kChunked, kUntilClose };
  Kind kind = Kind::kNone;
  std::uint64_t length = 0;
};

/// Collects the field lines of one head: checks each as it comes, keeps the framing fields for itself, and
/// puts the rest into a Headers. Pure; no I/O. Owner: a head parser. Reused by clear().
class FieldCollector {
 public:
  void clear();
  /// One line without its end. `into` receives it unless it is a framing field.
  Rejection add_line(std::string_view line, Headers& into, const Limits& limits);

  /// After the last line: removes what Connection nominates and checks fields against each other.
  /// `mesh_owned_rejected`: a client may not have the mesh's own fields removed (rule B15).
  Rejection finish(Headers& into, bool mesh_owned_rejected);

  /// The names that Connection lists, each with a comma behind it; valid until clear().
  std::string_view nominated() const { return nominated_; }

  bool has_length = false;
  std::uint64_t length = 0;
  bool has_transfer_encoding = false;
  bool close = false;
  bool keep_alive = false;
  bool connection_upgrade = false;
  bool expect_continue = false;
  bool expect_other = false;
  bool has_host = false;
  std::string host;
  std::string upgrade;
  /// Set when `Transfer-Encoding` is rejected for a request but only matters once the version is known.
  bool te_trailers = false;

 private:
  Rejection add_length(std::string_view value);
  Rejection add_transfer_encoding(std::string_view value);
  Rejection add_host(std::string_view value);
  Rejection add_framing(HeaderId known, std::string_view value, const Limits& limits, bool& taken);
  Rejection add_connection(std::string_view value, const Limits& limits);

  std::uint32_t fields_ = 0, nominations_ = 0;
  std::string nominated_;
};

}  // namespace weft::http::h1
