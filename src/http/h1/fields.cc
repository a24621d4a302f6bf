#include "http/h1/fields.h"

#include <charconv>
#include <limits>

#include "http/trailers.h"

namespace weft::http::h1 {
namespace {

constexpr std::uint64_t kMaxBody = std::numeric_limits<std::int64_t>::max();

bool is_known_coding(std::string_view coding) {
  for (const std::string_view known :
       {"gzip", "x-gzip", "deflate", "compress", "x-compress", "identity", "br", "zstd"})
    if (equal_ignoring_case(coding, known)) return true;
  return false;
}

}  // namespace

void FieldCollector::clear() {
  has_length = has_transfer_encoding = close = keep_alive = connection_upgrade = expect_continue =
      expect_other = has_host = te_trailers = false;
  length = 0;
  host.clear();
  upgrade.clear();
  fields_ = nominations_ = 0;
  nominated_.clear();
}

Rejection FieldCollector::add_line(std::string_view line, Headers& into, const Limits& limits) {
  if (line.front() == ' ' || line.front() == '\t')
    return fields_ == 0 ? Rejection{400, "A19", "white space before the first field"}
                        : Rejection{400, "A15", "a field line is folded"};
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return {400, "A20", "a field line has no colon"};
  const std::string_view name = line.substr(0, colon);
  if (name.empty()) return {400, "B05", "a field has no name"};
  if (name.back() == ' ' || name.back() == '\t') return {400, "A14", "white space before a colon"};
  const HeaderId known = known_field(name);
  if (known == HeaderId::kOther && !is_token(name))
    return {400, "B08", "a field name has a byte that names may not have"};
  const std::string_view value = trim(line.substr(colon + 1));
  if (!is_field_value(value)) return {400, "B07", "a field value has a control byte"};
  if (++fields_ > limits.fields) return {431, "B12", "too many fields"};
  bool taken = false;
  if (const Rejection rejection = add_framing(known, value, limits, taken)) return rejection;
  if (taken) return {};
  if (known == HeaderId::kOther && is_framing_with_underscore(name))
    return {400, "A16", "a framing field is written with an underscore"};
  into.add(name, value, known);
  return {};
}

Rejection FieldCollector::add_framing(HeaderId known, std::string_view value, const Limits& limits,
                                      bool& taken) {
  taken = true;
  switch (known) {
    case HeaderId::kContentLength: return add_length(value);
    case HeaderId::kTransferEncoding: return add_transfer_encoding(value);
    case HeaderId::kHost: return add_host(value);
    case HeaderId::kConnection: return add_connection(value, limits);
    case HeaderId::kUpgrade:
      if (!upgrade.empty()) upgrade += ", ";
      upgrade += value;
      return {};
    case HeaderId::kExpect:
      (equal_ignoring_case(value, "100-continue") ? expect_continue : expect_other) = true;
      return {};
    case HeaderId::kTe:
      for_each_element(value, [this](std::string_view coding) {
        te_trailers = te_trailers || equal_ignoring_case(coding, "trailers");
        return !te_trailers;
      });
      return {};
    case HeaderId::kKeepAlive:
    case HeaderId::kProxyConnection:
    case HeaderId::kTrailer: return {};
    default: taken = false; return {};
  }
}

/// RFC 9110 §8.6, RFC 9112 §6.3.
Rejection FieldCollector::add_length(std::string_view value) {
  if (value.empty()) return {400, "A05", "Content-Length is empty"};
  if (has_length) return {400, length == 0 ? "A03" : "A02", "Content-Length is there twice"};
  if (!is_digits(value))
    return {400, value.find(',') != std::string_view::npos ? "A03" : "A04", "Content-Length is not a number"};
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
  if (error != std::errc() || length > kMaxBody) return {400, "A06", "Content-Length is too large"};
  has_length = true;
  return {};
}

/// RFC 9112 §6.1: only `chunked`, once and last, is understood.
Rejection FieldCollector::add_transfer_encoding(std::string_view value) {
  if (has_transfer_encoding) return {400, "A10", "Transfer-Encoding is there twice"};
  has_transfer_encoding = true;
  if (equal_ignoring_case(value, "chunked")) return {};
  int chunked = 0;
  bool chunked_last = false, all_known = true;
  for_each_element(value, [&](std::string_view coding) {
    chunked_last = equal_ignoring_case(coding, "chunked");
    chunked += chunked_last;
    all_known = all_known && (chunked_last || is_known_coding(coding));
    return true;
  });
  if (chunked > 1) return {400, "A10", "chunked is there twice"};
  if (!all_known) return {400, "A11", "Transfer-Encoding is not understood"};
  if (chunked == 1 && !chunked_last) return {400, "A08", "chunked is not the last coding"};
  return {501, "A09", "only the chunked coding is understood"};
}

/// RFC 9112 §3.2.
Rejection FieldCollector::add_host(std::string_view value) {
  if (has_host) return {400, "B01", "Host is there twice"};
  if (!value.empty() && !is_authority(value)) return {400, "B01", "Host is not a host"};
  has_host = true;
  host = value;
  return {};
}

Rejection FieldCollector::add_connection(std::string_view value, const Limits& limits) {
  const bool few = for_each_element(value, [&](std::string_view option) {
    if (equal_ignoring_case(option, "close")) {
      close = true;
    } else if (equal_ignoring_case(option, "keep-alive")) {
      keep_alive = true;
    } else if (equal_ignoring_case(option, "upgrade")) {
      connection_upgrade = true;
    } else if (!option.empty() && !equal_ignoring_case(option, "te")) {
      nominated_.append(option).push_back(',');
      // Each is looked for among all fields: no more names than there may be fields.
      if (++nominations_ > limits.fields) return false;
    }
    return true;
  });
  return few ? Rejection{} : Rejection{431, "B12", "Connection names too many fields"};
}

/// RFC 9110 §7.6.1.
Rejection FieldCollector::finish(Headers& into, bool mesh_owned_rejected) {
  if (has_transfer_encoding && has_length) return {400, "A01", "both Transfer-Encoding and Content-Length"};
  if (nominated_.empty()) return {};
  Rejection rejection;
  for_each_element(nominated_, [&](std::string_view name) {
    if (mesh_owned_rejected && is_mesh_owned(name)) {
      rejection = {400, "B15", "Connection names a field that the mesh owns"};
      return false;
    }
    if (!name.empty() && !is_mesh_owned(name)) into.remove(name);
    return true;
  });
  return rejection;
}

}  // namespace weft::http::h1
