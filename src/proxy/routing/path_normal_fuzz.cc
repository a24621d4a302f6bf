#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "proxy/routing/path_normal.h"

/// Any target, any setting (the first byte): what comes out is a path again, doing it twice changes nothing,
/// and no reader finds a dot segment in it.
namespace {

using namespace weft::proxy;

void expect_normal(std::string_view path) {
  WEFT_ASSERT(path.starts_with('/'));
  for (std::string_view rest = path; !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    const std::string_view name = segment.substr(0, segment.find(';'));
    WEFT_ASSERT(name != "." && name != ".." && segment.find('\\') == segment.npos);
    rest.remove_prefix(segment.size());
  }
  for (const std::string_view hidden : {"%2e", "%2E", "%61", "%41", "%7e", "%7E"})
    WEFT_ASSERT(path.find(hidden) == path.npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  HttpConfig config;
  config.normalize_path = (data[0] & 1) != 0;
  config.merge_slashes = (data[0] & 2) != 0;
  config.escaped_slashes = static_cast<HttpConfig::EscapedSlashes>(data[0] >> 2 & 3);
  const std::string sent(reinterpret_cast<const char*>(data + 1), size - 1);
  std::string path = sent;
  if (settle_path(path, config) == PathVerdict::kReject) return 0;
  const std::string once = path;
  settle_path(path, config);
  WEFT_ASSERT(path == once || config.escaped_slashes != HttpConfig::EscapedSlashes::kKeep);
  const auto question = once.find('?'), before = sent.find('?');
  if (!sent.starts_with('/')) {
    WEFT_ASSERT(once == sent);
    return 0;
  }
  if (before != sent.npos) WEFT_ASSERT(once.substr(question) == sent.substr(before));
  if (config.normalize_path) expect_normal(std::string_view(once).substr(0, question));
  if (config.merge_slashes) WEFT_ASSERT(once.substr(0, question).find("//") == once.npos);
  return 0;
}
