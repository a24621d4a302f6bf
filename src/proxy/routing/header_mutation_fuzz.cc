#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "proxy/routing/header_mutation.h"

/// Two texts as name and value of a header rule, as the conversion lets them through (no control bytes):
/// rejected, or what is written has none either.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto cut = text.find('\n');
  if (cut == text.npos) return 0;
  if (text.substr(cut + 1).find_first_of(std::string_view("\r\n\0", 3)) != text.npos) return 0;
  weft::proxy::HeaderChanges changes;
  changes.add.push_back({std::string(text.substr(0, cut)), std::string(text.substr(cut + 1))});
  const auto mutation = weft::proxy::HeaderMutation::compile(changes);
  if (!mutation) return 0;
  weft::http::Headers headers;
  weft::proxy::ConnectionInfo connection;
  weft::proxy::RequestInfo info;
  info.connection = &connection;
  mutation->apply(headers, info);
  for (const auto field : headers)
    WEFT_ASSERT(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  return 0;
}
