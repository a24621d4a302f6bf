#include "http/h2/session_memory.h"

#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "http/h2/zero_pages.h"

namespace weft::http::h2 {
namespace {

/// The payload of a frame, and some: no other block of a new session is as large as a frame.
constexpr std::size_t kFrame = 16 * 1024, kBlock = kFrame + 512;

struct Shared {
  std::unique_ptr<char[]> block;
  ZeroPages pages;
  enum class Making : std::uint8_t { kNo, kYes, kBlockGiven } making = Making::kNo;
  void* page = nullptr;  ///< that the session in the making has got
};
using Making = Shared::Making;

Shared& shared() {
  static thread_local Shared of_thread;
  return of_thread;
}

bool is_shared(const void* memory) { return memory && memory == shared().block.get(); }

void* allocate(std::size_t size, void*) {
  Shared& of_thread = shared();
  if (of_thread.making != Making::kYes || size < kFrame || size > kBlock) return std::malloc(size);
  // A session takes one: a second in the same making would be used beside it.
  of_thread.making = Making::kBlockGiven;
  if (!of_thread.block) of_thread.block = std::make_unique_for_overwrite<char[]>(kBlock);
  return of_thread.block.get();
}

void release(void* memory, void*) {
  if (is_shared(memory)) return;
  if (shared().pages.owns(memory)) return shared().pages.give_back(memory);
  std::free(memory);
}

/// The table of streams is the one block of that size, and zero while it is empty.
void* allocate_zeroed(std::size_t count, std::size_t size, void*) {
  Shared& of_thread = shared();
  const bool is_table =
      of_thread.making != Making::kNo && !of_thread.page && count * size == ZeroPages::kSize;
  if (is_table) of_thread.page = of_thread.pages.take();
  return is_table && of_thread.page ? of_thread.page : std::calloc(count, size);
}

void* reallocate(void* memory, std::size_t size, void* user) {
  if (!memory) return allocate(size, user);
  WEFT_ASSERT(!is_shared(memory) && !shared().pages.owns(memory));
  return std::realloc(memory, size);
}

}  // namespace

nghttp2_mem* session_memory() {
  static nghttp2_mem memory{nullptr, allocate, release, allocate_zeroed, reallocate};
  return &memory;
}

MakingSession::MakingSession() {
  shared().making = Making::kYes;
  shared().page = nullptr;
}

MakingSession::~MakingSession() { shared().making = Making::kNo; }

void* MakingSession::page() const { return shared().page; }

}  // namespace weft::http::h2
