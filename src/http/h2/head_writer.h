#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace weft::http::h2 {

/// The fields of one head as nghttp2 takes them. They borrow: from the message, and from this list, until it
/// is used again.
///
/// Owner: a function that sends a head. Thread: any, one at a time.
class FieldList {
 public:
  /// False: a value would not be one (RFC 9113 §8.2.1), which only configuration can have made.
  [[nodiscard]] bool request(const RequestHead& head);
  /// `status` is written instead of the head's own.
  [[nodiscard]] bool response(const ResponseHead& head, int status, bool with_length);
  [[nodiscard]] bool trailers(const Headers& trailers);
  std::span<const nghttp2_nv> fields() const { return fields_; }

 private:
  void add(std::string_view name, std::string_view value);
  void add_all(const Headers& headers, bool request);
  void add_length(std::uint64_t length);

  std::vector<nghttp2_nv> fields_;
  char status_[3], length_[20];
  bool good_ = true;
};

/// The list of this thread, empty.
FieldList& field_list();

}  // namespace weft::http::h2
