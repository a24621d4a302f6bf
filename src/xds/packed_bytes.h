#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/text.h"

union LZ4_stream_u;

namespace weft::xds {

using BytesPtr = std::shared_ptr<const std::string>;

/// Bytes that are mostly those of a model, compressed with it as their dictionary: thousands of virtual hosts
/// of a table, and of clusters, differ in a name and a number. Made by a Packer; made of bytes, they are kept
/// as they are. A value, immutable; any thread.
class PackedBytes {
 public:
  PackedBytes() = default;
  PackedBytes(std::string_view bytes);
  std::string unpacked() const;
  bool operator==(std::string_view bytes) const;
  bool operator==(const PackedBytes& other) const;
  /// How many there are unpacked.
  std::size_t size() const { return size_; }
  /// How many they are here, without the model.
  std::size_t packed_size() const { return block_.size(); }

 private:
  friend class Packer;
  BytesPtr model_;     ///< null: `block_` are the bytes
  proxy::Text block_;  ///< one block of LZ4, without a frame
  std::uint32_t size_ = 0;
};

/// Packs bytes by one model.
///
/// Owner: who reads one table or response, for the time of that. Thread: its own.
class Packer {
 public:
  explicit Packer(BytesPtr model);
  /// Of at most 1 GiB, which no message of xDS reaches.
  PackedBytes pack(std::string_view bytes);

 private:
  struct Free {
    void operator()(LZ4_stream_u* stream) const;
  };
  BytesPtr model_;
  std::unique_ptr<LZ4_stream_u, Free> stream_;
};

}  // namespace weft::xds
