#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft::inject {

struct ObjectKind {
  std::string api_version, kind;
};

/// What a document of sound YAML says it is, whatever else it says: nothing of the rest has to have a form in
/// JSON. Nothing when it does not say so once and plainly, or is not one document. Any thread.
std::optional<ObjectKind> kind_of(std::string_view document);

}  // namespace weft::inject
