#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace weft::http::h2 {

/// Blocks of one page, zero at first. One that is all zero again takes no memory once it rests: the kernel
/// takes the page back, and gives a zero one when it is written. That changes nothing for the user of the
/// block.
///
/// Owner and thread: one thread; every block comes back before the object ends.
class ZeroPages {
 public:
  /// Of every page on the machines that we know. Elsewhere there are no such blocks: take() gives null.
  static constexpr std::size_t kSize = 4096;

  ZeroPages() = default;
  ZeroPages(const ZeroPages&) = delete;
  ZeroPages& operator=(const ZeroPages&) = delete;

  /// Null: there is no memory, or pages are of another size.
  void* take();
  bool owns(const void* block) const;
  void give_back(void* block);
  /// For a block that will not be used soon.
  static void rest(void* block);

 private:
  struct Unmap {
    void operator()(void* chunk) const;
  };
  bool add_chunk();

  std::vector<std::unique_ptr<void, Unmap>> chunks_;
  std::vector<void*> free_;
};

}  // namespace weft::http::h2
