#include "store/kubernetes/bearer_token.h"

#include "base/log.h"
#include "base/strings.h"
#include "store/kubernetes/small_file.h"

namespace weft::store {
namespace {

constexpr Duration kReadAfter = 60s;

}  // namespace

Result<std::string> BearerToken::at(TimePoint now) {
  if (file_.empty() || now < read_again_) return value_;
  const auto text = read_small_file(file_);
  const std::string token(text ? trim(*text) : std::string_view());
  if (!token.empty()) {
    value_ = token;
    read_again_ = now + kReadAfter;
    return value_;
  }
  const std::string why = text ? file_ + ": holds no token" : text.error().text;
  if (value_.empty()) return fail(Error::config(Code::kNotFound, why));
  WEFT_LOG(kWarn, "kubernetes", "the token cannot be read again; the old one is used", {"error", why});
  read_again_ = now + kReadAfter;
  return value_;
}

bool BearerToken::rejected() {
  read_again_ = TimePoint::min();
  return !file_.empty();
}

}  // namespace weft::store
