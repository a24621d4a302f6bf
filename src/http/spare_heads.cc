#include "http/spare_heads.h"

#include <utility>
#include <vector>

namespace weft::http {
namespace {

constexpr std::size_t kMaxSpare = 64, kMaxBytes = 8 * 1024;

std::vector<std::unique_ptr<SpareHeads>>& spare() {
  static thread_local std::vector<std::unique_ptr<SpareHeads>> heads;
  return heads;
}

}  // namespace

std::unique_ptr<SpareHeads> SpareHeads::borrow() {
  auto& kept = spare();
  if (kept.empty()) return std::make_unique<SpareHeads>();
  auto heads = std::move(kept.back());
  kept.pop_back();
  return heads;
}

void SpareHeads::give_back(std::unique_ptr<SpareHeads> heads) {
  if (!heads || spare().size() == kMaxSpare) return;
  if (heads->request.headers.bytes() + heads->response.headers.bytes() > kMaxBytes ||
      heads->body.capacity() + heads->piece.capacity() > kMaxBytes)
    return;
  heads->response.clear();
  heads->body.clear();
  heads->piece.clear();
  spare().push_back(std::move(heads));
}

}  // namespace weft::http
