#pragma once

#include <nghttp2/nghttp2.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/testing/frames.h"

namespace weft::http::testing {

/// The frames that one side of an HTTP/2 connection has sent, as lines to compare: "HEADERS 1 end
/// :status=200", "DATA 1 end 5 hello", "RST_STREAM 3 CANCEL", "GOAWAY 1 NO_ERROR", "PING ack", "SETTINGS".
/// What says nothing about a message can be left out.
class FrameReader {
 public:
  FrameReader() { nghttp2_hd_inflate_new(&inflater_); }
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;
  ~FrameReader() { nghttp2_hd_inflate_del(inflater_); }

  /// The frames that are whole now. `quietly`: without SETTINGS, PING and WINDOW_UPDATE.
  std::vector<std::string> read(std::string_view bytes, bool quietly = true) {
    waiting_ += bytes;
    if (waiting_.starts_with(kPreface)) waiting_.erase(0, kPreface.size());
    std::vector<std::string> lines;
    while (waiting_.size() >= 9 && waiting_.size() >= 9 + size_of(waiting_)) {
      const std::string whole = waiting_.substr(0, 9 + size_of(waiting_));
      waiting_.erase(0, whole.size());
      const auto type = static_cast<unsigned char>(whole[3]);
      std::string line =
          describe(type, static_cast<unsigned char>(whole[4]), number(whole, 5), whole.substr(9));
      const bool quiet = type == NGHTTP2_SETTINGS || type == NGHTTP2_PING || type == NGHTTP2_WINDOW_UPDATE;
      if (!quietly || !quiet) lines.push_back(std::move(line));
    }
    return lines;
  }

 private:
  static std::size_t size_of(std::string_view head) { return number(head, 0) >> 8; }
  static std::uint32_t number(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
  }

  std::string describe(unsigned char type, unsigned char flags, std::uint32_t stream, std::string payload) {
    static constexpr const char* kNames[] = {"DATA",          "HEADERS",      "PRIORITY", "RST_STREAM",
                                             "SETTINGS",      "PUSH_PROMISE", "PING",     "GOAWAY",
                                             "WINDOW_UPDATE", "CONTINUATION"};
    const std::string name = type < 10 ? kNames[type] : "unknown";
    const std::string on = name + " " + std::to_string(stream);
    const std::string end = flags & NGHTTP2_FLAG_END_STREAM ? " end" : "";
    switch (type) {
      case NGHTTP2_DATA: return on + end + " " + std::to_string(payload.size()) + " " + payload.substr(0, 60);
      case NGHTTP2_HEADERS: return on + end + fields(payload);
      case NGHTTP2_RST_STREAM: return on + " " + nghttp2_http2_strerror(number(payload, 0));
      case NGHTTP2_GOAWAY:
        return name + " " + std::to_string(number(payload, 0)) + " " +
               nghttp2_http2_strerror(number(payload, 4));
      case NGHTTP2_WINDOW_UPDATE: return on + " " + std::to_string(number(payload, 0));
      default: return flags & NGHTTP2_FLAG_ACK ? name + " ack" : name;
    }
  }

  std::string fields(const std::string& block) {
    std::string text;
    const auto* at = reinterpret_cast<const std::uint8_t*>(block.data());
    for (std::size_t left = block.size();;) {
      nghttp2_nv field;
      int flags = 0;
      const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
      if (used < 0) return " (bad HPACK)";
      at += used;
      left -= static_cast<std::size_t>(used);
      if (flags & NGHTTP2_HD_INFLATE_EMIT)
        text += " " + std::string(reinterpret_cast<char*>(field.name), field.namelen) + "=" +
                std::string(reinterpret_cast<char*>(field.value), field.valuelen);
      if (flags & NGHTTP2_HD_INFLATE_FINAL) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    return text;
  }

  nghttp2_hd_inflater* inflater_ = nullptr;
  std::string waiting_;
};

using Fields = std::vector<std::pair<std::string, std::string>>;

inline std::string block_of(const Fields& fields) {
  std::string block;
  for (const auto& [name, value] : fields) block += literal_field(name, value);
  return block;
}

/// HEADERS with such fields, as they stand in no table.
inline std::string headers(unsigned char stream, const Fields& fields, bool end) {
  return frame(kHeaders, kEndHeaders | (end ? kEndStream : 0), stream, block_of(fields));
}

inline Fields get(std::string path = "/") {
  return {{":method", "GET"}, {":scheme", "http"}, {":path", std::move(path)}, {":authority", "h"}};
}

inline Fields post(std::string path = "/") {
  return {{":method", "POST"}, {":scheme", "http"}, {":path", std::move(path)}, {":authority", "h"}};
}

inline Fields with(Fields fields, std::string name, std::string value) {
  fields.emplace_back(std::move(name), std::move(value));
  return fields;
}

inline std::string four(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

inline std::string setting(std::uint16_t id, std::uint32_t value) {
  return std::string{static_cast<char>(id >> 8), static_cast<char>(id)} + four(value);
}

inline std::string window_update(unsigned char stream, std::uint32_t size) {
  return frame(static_cast<FrameType>(NGHTTP2_WINDOW_UPDATE), 0, stream, four(size));
}

inline std::string rst_stream(unsigned char stream, std::uint32_t code) {
  return frame(kReset, 0, stream, four(code));
}

}  // namespace weft::http::testing
