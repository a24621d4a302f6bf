#include "pod/pod_info.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>

#include "base/strings.h"

namespace weft::pod {
namespace {

constexpr std::size_t kMaxBytes = 1024 * 1024;
constexpr unsigned kMaxUnasked = 2;

/// The text between the quotes; labels and annotations need no more than these escapes of Go's.
std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    const char escaped = text[++i];
    out.push_back(escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped == 'r' ? '\r' : escaped);
  }
  return out;
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Error::config(Code::kNotFound, path + ": cannot be opened: " + errno_text(errno)));
  std::string text(kMaxBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (text.size() > kMaxBytes) return fail(Error::config(Code::kTooLarge, path + ": is larger than 1 MiB"));
  text.shrink_to_fit();
  return text;
}

std::map<std::string, std::string> parse_pod_info(std::string_view text) {
  std::map<std::string, std::string> all;
  for (const std::string_view line : split(text, '\n')) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    all[std::string(line.substr(0, equals))] = unquoted(line.substr(equals + 1));
  }
  return all;
}

std::optional<unsigned> cpu_limit(std::string_view cpu_max) {
  const auto parts = split(trim(cpu_max), ' ');
  std::uint64_t quota = 0, period = 0;
  if (parts.size() != 2) return std::nullopt;
  std::from_chars(parts[0].data(), parts[0].data() + parts[0].size(), quota);
  std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), period);
  if (quota == 0 || period == 0) return std::nullopt;
  const std::uint64_t rounded_up = quota / period + (quota % period != 0 ? 1 : 0);
  return static_cast<unsigned>(std::min<std::uint64_t>(rounded_up, 1024));
}

unsigned worker_count(std::optional<unsigned> asked, std::optional<unsigned> limit, unsigned processors) {
  processors = std::max(1u, processors);
  if (asked) return *asked == 0 ? processors : *asked;
  return std::min({limit.value_or(processors), processors, kMaxUnasked});
}

}  // namespace weft::pod
