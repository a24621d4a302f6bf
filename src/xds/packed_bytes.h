#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft::xds {

using BytesPtr = std::shared_ptr<const std::string>;

/// Bytes that are mostly those of a model, and take little more room than what is not: thousands of virtual
/// hosts of a table differ in a name and a number. Made by a Packer. A value, immutable; any thread.
class PackedBytes {
 public:
  PackedBytes() = default;
  std::string unpacked() const;
  /// Without unpacking them.
  bool operator==(std::string_view bytes) const;
  /// How many there are unpacked.
  std::size_t size() const { return size_; }

 private:
  friend class Packer;
  BytesPtr model_;
  /// Literal bytes and copies by turns, each with its length before it; a copy then says from where in the
  /// model with these bytes behind it.
  std::string steps_;
  std::size_t size_ = 0;
};

/// Packs bytes by one model. Of one thread; for the time of one table.
class Packer {
 public:
  explicit Packer(BytesPtr model);
  PackedBytes pack(std::string_view bytes);

 private:
  static constexpr std::size_t kPlaces = 4096;
  using Places = std::vector<std::uint32_t>;  ///< by hash: where four bytes begin, and one; 0: nowhere
  static std::size_t hash_at(std::string_view text, std::size_t at);
  static std::size_t common(std::string_view text, std::size_t from, std::size_t at, std::size_t limit);

  BytesPtr model_;
  Places of_model_, places_;
};

}  // namespace weft::xds
