#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft::proxy {

/// What the first bytes of a connection are. kHttp11 stands for everything that some server might take for
/// HTTP/1 and that is not plainly HTTP/1.0.
enum class Sniffed : std::uint8_t { kUndecided, kHttp10, kHttp11, kHttp2, kTls, kOther };

/// Decides what a connection's first bytes are, while more of them come.
///
/// "\x16\x03" is TLS (RFC 8446 §5.1); the connection preface is HTTP/2 (RFC 9113 §3.4). What is not HTTP may
/// pass by rules for HTTP, so kOther means that no server takes it for a request, not even one that is more
/// lenient than RFC 9112: blank lines first, any token as a method, other white space than one space, a
/// version in small letters and HTTP/0.9 are all HTTP, to be checked by the HTTP codec. A first line of kMax
/// bytes that may still become one is HTTP as well.
class Sniffer {
 public:
  static constexpr std::size_t kMax = 16 * 1024;
  static constexpr char kHandshake = 0x16;  ///< the first byte of TLS

  /// `bytes`: all that came, from the first on; at most kMax are looked at. Looks at each byte once.
  Sniffed look(std::string_view bytes);
  /// What undecided `bytes` are when the client has ended its side: nothing is waited for any more.
  Sniffed at_end(std::string_view bytes) const;
  /// What undecided `bytes` are when no more is waited for, though more may come.
  Sniffed when_late(std::string_view bytes) const;

 private:
  enum class Stage : std::uint8_t { kBlank, kMethod, kGap, kLine };
  Sniffed first_line(std::string_view bytes);

  Stage stage_ = Stage::kBlank;
  std::size_t at_ = 0, method_ = 0, target_ = 0;
};

}  // namespace weft::proxy
