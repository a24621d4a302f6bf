#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace weft::api {

struct Document;

/// Where in a file an object was read: for what is said of it after it was applied. Keeps its document alive.
/// Any thread.
class Origin {
 public:
  static constexpr std::size_t kWhole = static_cast<std::size_t>(-1);

  Origin() = default;
  /// `item` is the object's place in a List's items.
  Origin(std::string file, std::shared_ptr<const Document> document, std::size_t item = kWhole)
      : file_(std::move(file)), document_(std::move(document)), item_(item) {}

  /// "rules.yaml:12" of `field` ("spec.hosts[0]"), or of the nearest that the file has on the way to it;
  /// empty for an object without a file.
  std::string place(std::string_view field) const;

 private:
  std::string file_;
  std::shared_ptr<const Document> document_;
  std::size_t item_ = kWhole;
};

}  // namespace weft::api
