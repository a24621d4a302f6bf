#include "xds/packed_bytes.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "xds/wire.h"

namespace weft::xds {
namespace {

constexpr std::size_t kHashed = 4;
// A copy takes two to four bytes.
constexpr std::size_t kMinCopy = 6;

/// Reads what a Packer has written.
class Steps {
 public:
  explicit Steps(std::string_view steps) : rest_(steps) {}
  bool at_end() const { return rest_.empty(); }
  std::size_t number() {
    std::size_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::size_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
  std::string_view text() {
    const std::size_t length = number();
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::string PackedBytes::unpacked() const {
  std::string made;
  made.reserve(size_);
  for (Steps steps(steps_); !steps.at_end();) {
    made += steps.text();
    if (steps.at_end()) break;
    const std::size_t length = steps.number(), from = steps.number();
    if (from < model_->size()) {
      made.append(*model_, from, length);
      continue;
    }
    // It may go on into what it makes.
    for (std::size_t i = 0; i < length; ++i) made += made[from - model_->size() + i];
  }
  return made;
}

bool PackedBytes::operator==(std::string_view bytes) const {
  if (bytes.size() != size_) return false;
  std::size_t at = 0;
  for (Steps steps(steps_); !steps.at_end();) {
    const std::string_view literal = steps.text();
    if (bytes.substr(at, literal.size()) != literal) return false;
    at += literal.size();
    if (steps.at_end()) break;
    const std::size_t length = steps.number(), from = steps.number();
    // What stands before is known to be the same.
    const std::string_view source =
        from < model_->size() ? std::string_view(*model_).substr(from) : bytes.substr(from - model_->size());
    if (std::memcmp(bytes.data() + at, source.data(), length) != 0) return false;
    at += length;
  }
  return true;
}

Packer::Packer(BytesPtr model) : model_(std::move(model)), of_model_(kPlaces) {
  for (std::size_t at = 0; at + kHashed <= model_->size(); ++at)
    of_model_[hash_at(*model_, at)] = static_cast<std::uint32_t>(at + 1);
}

std::size_t Packer::hash_at(std::string_view text, std::size_t at) {
  std::uint32_t bytes = 0;
  std::memcpy(&bytes, text.data() + at, kHashed);
  return bytes * 2654435761u >> 20;
}

std::size_t Packer::common(std::string_view text, std::size_t from, std::size_t at, std::size_t limit) {
  std::size_t length = 0;
  while (at + length < text.size() && from + length < limit && text[from + length] == text[at + length])
    ++length;
  return length;
}

PackedBytes Packer::pack(std::string_view bytes) {
  std::string text = *model_;
  text += bytes;
  places_ = of_model_;
  std::string steps;
  std::size_t done = model_->size();
  for (std::size_t at = done; at + kMinCopy <= text.size();) {
    std::uint32_t& place = places_[hash_at(text, at)];
    const std::size_t from = std::exchange(place, static_cast<std::uint32_t>(at + 1));
    // A copy is from the model or from behind it.
    const std::size_t limit = from <= model_->size() ? model_->size() : text.size();
    const std::size_t length = from == 0 ? 0 : common(text, from - 1, at, limit);
    if (length < kMinCopy) {
      ++at;
      continue;
    }
    append_varint(steps, at - done);
    steps.append(text, done, at - done);
    append_varint(steps, length);
    append_varint(steps, from - 1);
    done = at += length;
  }
  if (done < text.size()) {
    append_varint(steps, text.size() - done);
    steps.append(text, done);
  }
  PackedBytes made;
  made.model_ = model_;
  made.steps_.assign(steps);
  made.size_ = bytes.size();
  return made;
}

}  // namespace weft::xds
