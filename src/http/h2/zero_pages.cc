#include "http/h2/zero_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace weft::http::h2 {
namespace {

/// Pages are mapped so many at a time. Untouched ones take nothing.
constexpr std::size_t kPages = 1024, kChunk = kPages * ZeroPages::kSize;

bool is_zero(const void* block) {
  const auto* const words = static_cast<const std::uint64_t*>(block);
  return std::all_of(words, words + ZeroPages::kSize / sizeof *words,
                     [](std::uint64_t word) { return word == 0; });
}

}  // namespace

void ZeroPages::Unmap::operator()(void* chunk) const { munmap(chunk, kChunk); }

bool ZeroPages::add_chunk() {
  if (static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) != kSize) return false;
  void* const chunk = mmap(nullptr, kChunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (chunk == MAP_FAILED) return false;
  madvise(chunk, kChunk, MADV_NOHUGEPAGE);  // one of those would never rest
  chunks_.emplace_back(chunk);
  for (std::size_t page = kPages; page-- > 0;) free_.push_back(static_cast<char*>(chunk) + page * kSize);
  return true;
}

void* ZeroPages::take() {
  if (free_.empty() && !add_chunk()) return nullptr;
  void* const block = free_.back();
  free_.pop_back();
  return block;
}

bool ZeroPages::owns(const void* block) const {
  if (reinterpret_cast<std::uintptr_t>(block) % kSize != 0) return false;
  return std::ranges::any_of(chunks_, [&](const auto& chunk) {
    const auto* const begin = static_cast<const char*>(chunk.get());
    return block >= begin && block < begin + kChunk;
  });
}

void ZeroPages::give_back(void* block) {
  madvise(block, kSize, MADV_DONTNEED);
  free_.push_back(block);
}

void ZeroPages::rest(void* block) {
  if (is_zero(block)) madvise(block, kSize, MADV_DONTNEED);
}

}  // namespace weft::http::h2
