#include "http/h1/read_buffer.h"

#include <array>
#include <cstring>

namespace weft::http::h1 {
namespace {

/// Few: what a thread needs at one moment is the number of messages it is in the middle of, not of its
/// connections.
constexpr std::size_t kKept = 8;

struct Pool {
  std::array<char*, kKept> blocks{};
  std::size_t count = 0;
  ~Pool() {
    while (count) delete[] blocks[--count];
  }
};

thread_local Pool pool;

}  // namespace

net::IoResult ReadBuffer::fill(net::Stream& stream) {
  make_room();
  const net::IoResult result = stream.try_read({data_ + end_, capacity_ - end_});
  end_ += result.bytes;
  return result;
}

void ReadBuffer::make_room() {
  if (!data_) {
    data_ = pool.count ? pool.blocks[--pool.count] : new char[kBlock];
    capacity_ = kBlock;
    begin_ = end_ = 0;
    return;
  }
  if (empty()) begin_ = end_ = 0;
  if (end_ < capacity_) return;
  const std::size_t kept = end_ - begin_;
  if (begin_ > 0) {
    std::memmove(data_, data_ + begin_, kept);
  } else {
    const std::size_t larger_capacity = capacity_ * 2;
    char* const larger = new char[larger_capacity];
    std::memcpy(larger, data_, kept);
    give_back();
    data_ = larger;
    capacity_ = larger_capacity;
  }
  begin_ = 0;
  end_ = kept;
}

void ReadBuffer::give_back() {
  if (capacity_ == kBlock && pool.count < kKept)
    pool.blocks[pool.count++] = data_;
  else
    delete[] data_;
  data_ = nullptr;
  capacity_ = begin_ = end_ = 0;
}

}  // namespace weft::http::h1
