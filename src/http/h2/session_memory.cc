#include "http/h2/session_memory.h"

#include <cstdlib>
#include <memory>

#include "base/error.h"

namespace weft::http::h2 {
namespace {

/// The payload of a frame, and some: no other block of a new session is as large as a frame.
constexpr std::size_t kFrame = 16 * 1024, kBlock = kFrame + 512;

struct Shared {
  std::unique_ptr<char[]> block;
  bool making = false;
};

Shared& shared() {
  static thread_local Shared of_thread;
  return of_thread;
}

bool is_shared(const void* memory) { return memory && memory == shared().block.get(); }

void* allocate(std::size_t size, void*) {
  Shared& of_thread = shared();
  if (!of_thread.making || size < kFrame || size > kBlock) return std::malloc(size);
  // A session takes one: a second in the same making would be used beside it.
  of_thread.making = false;
  if (!of_thread.block) of_thread.block = std::make_unique_for_overwrite<char[]>(kBlock);
  return of_thread.block.get();
}

void release(void* memory, void*) {
  if (!is_shared(memory)) std::free(memory);
}

void* allocate_zeroed(std::size_t count, std::size_t size, void*) { return std::calloc(count, size); }

void* reallocate(void* memory, std::size_t size, void* user) {
  if (!memory) return allocate(size, user);
  WEFT_ASSERT(!is_shared(memory));
  return std::realloc(memory, size);
}

}  // namespace

nghttp2_mem* session_memory() {
  static nghttp2_mem memory{nullptr, allocate, release, allocate_zeroed, reallocate};
  return &memory;
}

MakingSession::MakingSession() { shared().making = true; }

MakingSession::~MakingSession() { shared().making = false; }

}  // namespace weft::http::h2
