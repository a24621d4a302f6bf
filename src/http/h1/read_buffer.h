#pragma once

#include <cstddef>
#include <string_view>

#include "net/stream.h"

namespace weft::http::h1 {

/// Bytes received and not yet used. Its memory comes from a pool of the thread and goes back when nothing is
/// left in it, so that an idle connection holds none.
///
/// Owner: one connection. Thread: one loop. Views into it are valid until the next fill() or release().
class ReadBuffer {
 public:
  static constexpr std::size_t kBlock = 16 * 1024;

  ReadBuffer() = default;
  ReadBuffer(const ReadBuffer&) = delete;
  ReadBuffer& operator=(const ReadBuffer&) = delete;
  ~ReadBuffer() { give_back(); }

  std::string_view view() const { return {data_ + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t bytes) { begin_ += bytes; }
  /// One read of what the stream has. When the buffer is full of unused bytes it doubles; its user
  /// must reject before that goes on forever.
  net::IoResult fill(net::Stream& stream);
  /// Gives the memory back if nothing is in it.
  void release() {
    if (empty()) give_back();
  }

 private:
  void make_room();
  void give_back();

  char* data_ = nullptr;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace weft::http::h1
