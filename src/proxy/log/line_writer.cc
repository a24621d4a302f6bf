#include "proxy/log/line_writer.h"

#include <charconv>

namespace weft::proxy {
namespace {

bool plain(unsigned char byte) { return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\'; }

/// One bit in each of eight bytes.
constexpr std::uint64_t kOnes = 0x0101010101010101, kTops = 0x8080808080808080;

/// Whether one of eight bytes is not plain. Exact for the question, though a carry may mark more bytes than
/// the one that raised it.
std::uint64_t odd_bytes(const char* eight) {
  std::uint64_t bytes;
  std::memcpy(&bytes, eight, sizeof bytes);
  const auto zero = [](std::uint64_t of) { return (of - kOnes) & ~of; };
  const std::uint64_t low = (bytes - kOnes * 0x20) & ~bytes;
  return (low | bytes | zero(bytes ^ kOnes * 0x7f) | zero(bytes ^ kOnes * '"') | zero(bytes ^ kOnes * '\\')) &
         kTops;
}

/// Nearly every value is plain, and short.
bool all_plain(std::string_view value) {
  if (value.size() < 8) {
    bool good = true;
    for (const char each : value) good &= plain(static_cast<unsigned char>(each));
    return good;
  }
  std::uint64_t odd = odd_bytes(value.data() + value.size() - 8);
  for (std::size_t at = 0; at + 8 < value.size(); at += 8) odd |= odd_bytes(value.data() + at);
  return odd == 0;
}

bool is_control(unsigned char byte) { return (byte < 0x20 && byte != '\t') || byte == 0x7f; }

}  // namespace

void LineWriter::add_number(std::uint64_t number) {
  char text[20];
  char* const end = std::to_chars(text, text + sizeof text, number).ptr;
  add(std::string_view(text, static_cast<std::size_t>(end - text)));
}

void LineWriter::add_large(std::string_view piece) {
  flush();
  if (piece.size() > bytes_.size())
    out_.append(piece);
  else
    add(piece);
}

void LineWriter::add_escaped(std::string_view piece) {
  if (all_plain(piece)) return add(piece);
  std::size_t done = 0;
  for (std::size_t i = 0; i < piece.size(); ++i) {
    const auto byte = static_cast<unsigned char>(piece[i]);
    if (plain(byte)) continue;
    static constexpr char kHex[] = "0123456789abcdef";
    add(piece.substr(done, i - done));
    const char escaped[4] = {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    add(std::string_view(escaped, sizeof escaped));
    done = i + 1;
  }
  add(piece.substr(done));
}

void LineWriter::add_field_value(std::string_view piece) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < piece.size(); ++i) {
    if (!is_control(static_cast<unsigned char>(piece[i]))) continue;
    add(piece.substr(done, i - done));
    add(' ');
    done = i + 1;
  }
  add(piece.substr(done));
}

}  // namespace weft::proxy
