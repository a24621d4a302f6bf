#include "http/h2/head_writer.h"

#include <algorithm>
#include <charconv>

#include "http/connection_fields.h"
#include "http/rules.h"

namespace weft::http::h2 {
namespace {

std::uint8_t* bytes(std::string_view text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

/// No control byte but the tab (RFC 9110 §5.5). Without a branch for each byte: the compiler looks at many at
/// once.
bool is_clean(std::string_view value) {
  unsigned bad = 0;
  for (const char each : value) {
    const auto byte = static_cast<std::uint8_t>(each);
    bad |= static_cast<unsigned>((byte < 0x20) & (byte != '\t')) | static_cast<unsigned>(byte == 0x7f);
  }
  return bad == 0;
}

bool has_upper_case(std::string_view name) {
  unsigned upper = 0;
  for (const char each : name)
    upper |= static_cast<unsigned>(each >= 'A') & static_cast<unsigned>(each <= 'Z');
  return upper != 0;
}

}  // namespace

FieldList& field_list() {
  static thread_local FieldList list;
  return list;
}

void FieldList::add(std::string_view name, std::string_view value) {
  good_ = good_ && is_clean(value);
  fields_.push_back({bytes(name), bytes(value), name.size(), value.size(),
                     NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE});
}

void FieldList::add_all(const Headers& headers, bool request) {
  for (const Headers::Field each : headers) {
    if (each.known == HeaderId::kContentLength || (request && each.known == HeaderId::kHost)) continue;
    if (is_of_the_connection(each.known) && !(request && each.known == HeaderId::kTe)) continue;
    const std::string_view name = each.known == HeaderId::kOther ? each.name : name_of(each.known);
    add(name, trim(each.value));
    // nghttp2 writes in lower case what it copies.
    if (each.known == HeaderId::kOther && has_upper_case(name))
      fields_.back().flags = NGHTTP2_NV_FLAG_NO_COPY_VALUE;
  }
}

void FieldList::add_length(std::uint64_t length) {
  const auto end = std::to_chars(length_, length_ + sizeof length_, length).ptr;
  add("content-length", {length_, static_cast<std::size_t>(end - length_)});
}

bool FieldList::request(const RequestHead& head) {
  fields_.clear();
  good_ = head.path.find(' ') == std::string::npos;
  const bool tunnel = head.method == "CONNECT", extended = !head.upgrade.empty();
  add(":method", extended ? std::string_view("CONNECT") : std::string_view(head.method));
  if (!tunnel) {
    add(":scheme", head.scheme.empty() ? std::string_view("http") : std::string_view(head.scheme));
    add(":path", head.path);
  }
  add(":authority", head.authority);
  if (extended) add(":protocol", head.upgrade);
  add_all(head.headers, true);
  if (head.content_length && !tunnel && !extended) add_length(*head.content_length);
  return good_;
}

bool FieldList::response(const ResponseHead& head, int status, bool with_length) {
  fields_.clear();
  good_ = status >= 100 && status <= 999;
  for (int i = 2; i >= 0; --i, status /= 10) status_[i] = static_cast<char>('0' + status % 10);
  add(":status", {status_, sizeof status_});
  add_all(head.headers, false);
  if (head.content_length && with_length) add_length(*head.content_length);
  return good_;
}

bool FieldList::trailers(const Headers& trailers) {
  fields_.clear();
  good_ = true;
  add_all(trailers, false);
  return good_;
}

}  // namespace weft::http::h2
