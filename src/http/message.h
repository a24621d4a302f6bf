#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::http {

/// Fields that the data plane itself looks at; finding one of these compares no strings.
enum class HeaderId : std::uint8_t {
  kOther,
  kHost,
  kConnection,
  kContentLength,
  kTransferEncoding,
  kUpgrade,
  kExpect,
  kKeepAlive,
  kTe,
  kTrailer,
  kProxyConnection,
  kUserAgent,
  kCookie,
  kServer,
  kDate,
  kXRequestId,
  kXForwardedFor,
  kXForwardedProto,
  kXForwardedHost,
  kXB3TraceId,
  kXB3SpanId,
  kXB3ParentSpanId,
  kXB3Sampled,
  kXB3Flags,
  kB3,
  kTraceparent,
  kTracestate,
  kXEnvoyUpstreamServiceTime,
  kXEnvoyAttemptCount,
  kXEnvoyOriginalPath,
  kXEnvoyDecoratorOperation,
  kCount,
};

/// The header fields of one message in their order and letter case, in one block of memory that is reused
/// when the object is cleared and filled again. Thread: one owner.
class Headers {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
    HeaderId known;
  };

  void clear();
  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  /// The bytes that names and values take.
  std::size_t bytes() const { return bytes_.size(); }

  /// Appends a field. The strings are copied. `name` and `value` must not point into this object.
  void add(std::string_view name, std::string_view value);
  void add(HeaderId known, std::string_view value);
  /// `known` is known_field(name), for a caller that has it already.
  void add(std::string_view name, std::string_view value, HeaderId known);
  /// Replaces every field of that name by one, in the place of the first, or appends it.
  void set(std::string_view name, std::string_view value);
  void set(HeaderId known, std::string_view value);
  /// Returns how many were removed.
  std::size_t remove(std::string_view name);
  std::size_t remove(HeaderId known);

  /// The first value; nullopt when absent. Names compare without letter case. Valid until the next change.
  std::optional<std::string_view> get(std::string_view name) const;
  std::optional<std::string_view> get(HeaderId known) const;
  bool has(HeaderId known) const { return get(known).has_value(); }
  std::size_t count(HeaderId known) const;
  Field operator[](std::size_t index) const;

  class Iterator {
   public:
    Iterator(const Headers& headers, std::size_t index) : headers_(&headers), index_(index) {}
    Field operator*() const { return (*headers_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    const Headers* headers_;
    std::size_t index_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, entries_.size()}; }

 private:
  struct Entry {
    std::uint32_t name_at, name_size, value_at, value_size;
    HeaderId known;
  };
  void set(std::string_view name, std::string_view value, HeaderId known);

  std::string bytes_;
  std::vector<Entry> entries_;
};

/// The lower-case name of a known field; its id by name (kOther when it is none), letter case ignored.
std::string_view name_of(HeaderId known);
HeaderId known_field(std::string_view name);
bool equal_ignoring_case(std::string_view a, std::string_view b);

enum class Version : std::uint8_t { k10, k11, k2 };

/// The head of a request, the same for HTTP/1 and HTTP/2. Host is `authority`, not a field of `headers`;
/// framing fields (Content-Length, Transfer-Encoding, Connection and what it names, Keep-Alive, TE except
/// "trailers", Upgrade unless `upgrade` is set) are not in `headers` either: each codec writes its own from
/// the members here.
struct RequestHead {
  std::string method;
  std::string path;       ///< path and query as sent, beginning with '/', or "*", or empty for CONNECT
  std::string scheme;     ///< "http" or "https"; as the listener knows it, or from an absolute-form target
  std::string authority;  ///< RFC 9110 §4.2: host[:port]; empty only for HTTP/1.0 without Host
  Version version = Version::k11;
  Headers headers;
  std::optional<std::uint64_t>
      content_length;   ///< nullopt: unknown (chunked), or none when `end` was said with the head
  std::string upgrade;  ///< the Upgrade token when the client asks for one, else empty
  bool expect_continue = false;

  void clear();
};

/// The head of a response; framing fields as in RequestHead.
struct ResponseHead {
  int status = 0;
  std::string reason;  ///< as received; empty: the usual phrase for the status
  Version version = Version::k11;
  Headers headers;
  std::optional<std::uint64_t> content_length;
  std::string upgrade;  ///< with status 101: what the connection becomes

  void clear();
};

/// "Not Found" for 404; "Unknown" where there is none.
std::string_view reason_phrase(int status);

}  // namespace weft::http
