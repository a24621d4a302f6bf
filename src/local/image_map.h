#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weft::local {

/// What an image's name stands for on this machine.
struct ImageCommand {
  std::vector<std::string> arguments;              ///< the program and its arguments; not empty
  std::map<std::string, std::string> environment;  ///< what the image itself would set
};

/// Which local command an image is: the Bookinfo images by any registry and tag, others as the user has said.
///
/// Owner: the supervisor. Immutable once filled; any thread.
class ImageMap {
 public:
  explicit ImageMap(std::string bookinfo_program) : bookinfo_(std::move(bookinfo_program)) {}

  /// "NAME=COMMAND": NAME is an image as written in the pod, or without its tag. Errors: kInvalid.
  Result<void> add(std::string_view name_and_command);
  std::optional<ImageCommand> find(std::string_view image) const;

 private:
  std::optional<ImageCommand> find_bookinfo(std::string_view image) const;
  std::string bookinfo_;
  std::map<std::string, std::vector<std::string>, std::less<>> commands_;
};

/// A command line as arguments: blanks part them, '…' and "…" hold them together, a backslash takes the next
/// as it is. Errors: kInvalid, a quote that does not end.
Result<std::vector<std::string>> split_arguments(std::string_view line);

/// An image without tag and digest: "registry:5000/shop:1" is "registry:5000/shop".
std::string_view image_name(std::string_view image);

}  // namespace weft::local
