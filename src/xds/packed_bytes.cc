#include "xds/packed_bytes.h"

#include <lz4.h>

#include <utility>

#include "base/error.h"

namespace weft::xds {

PackedBytes::PackedBytes(std::string_view bytes)
    : block_(bytes), size_(static_cast<std::uint32_t>(bytes.size())) {}

std::string PackedBytes::unpacked() const {
  const std::string_view block = block_;
  if (!model_) return std::string(block);
  std::string made(size_, '\0');
  if (size_ == 0) return made;
  const int length = LZ4_decompress_safe_usingDict(block.data(), made.data(), static_cast<int>(block.size()),
                                                   static_cast<int>(size_), model_->data(),
                                                   static_cast<int>(model_->size()));
  WEFT_ASSERT(std::cmp_equal(length, size_));
  return made;
}

bool PackedBytes::operator==(std::string_view bytes) const {
  if (bytes.size() != size_) return false;
  return model_ ? unpacked() == bytes : block_ == bytes;
}

bool PackedBytes::operator==(const PackedBytes& other) const {
  return size_ == other.size_ && *this == std::string_view(other.unpacked());
}

void Packer::Free::operator()(LZ4_stream_u* stream) const { LZ4_freeStream(stream); }

Packer::Packer(BytesPtr model) : model_(std::move(model)), stream_(LZ4_createStream()) {
  WEFT_ASSERT(stream_ && model_->size() <= LZ4_MAX_INPUT_SIZE);
}

PackedBytes Packer::pack(std::string_view bytes) {
  WEFT_ASSERT(bytes.size() <= LZ4_MAX_INPUT_SIZE);
  PackedBytes made;
  made.model_ = model_;
  made.size_ = static_cast<std::uint32_t>(bytes.size());
  if (bytes.empty()) return made;
  const auto size = static_cast<int>(bytes.size());
  std::string block(static_cast<std::size_t>(LZ4_compressBound(size)), '\0');
  LZ4_loadDict(stream_.get(), model_->data(), static_cast<int>(model_->size()));
  const int length = LZ4_compress_fast_continue(stream_.get(), bytes.data(), block.data(), size,
                                                static_cast<int>(block.size()), 1);
  WEFT_ASSERT(length > 0);
  made.block_ = std::string_view(block).substr(0, static_cast<std::size_t>(length));
  return made;
}

}  // namespace weft::xds
