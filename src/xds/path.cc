#include "xds/path.h"

namespace weft::xds {

std::string Path::to_string() const {
  std::string text = parent_ ? parent_->to_string() : std::string();
  if (index_ >= 0) return text + "[" + std::to_string(index_) + "]";
  if (index_ == kKey) return text + "[\"" + std::string(name_) + "\"]";
  if (!text.empty() && !name_.empty()) text += ".";
  return text += name_;
}

Error Path::make(Code code, std::string_view text) const {
  const std::string where = to_string();
  return Error::config(code, where.empty() ? std::string(text) : where + ": " + std::string(text));
}

}  // namespace weft::xds
