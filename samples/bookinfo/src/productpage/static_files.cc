#include "productpage/static_files.h"

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <cstdio>

#include "common/text.h"
#include "productpage/assets.h"

namespace bookinfo::productpage {

namespace {

struct File {
  std::string_view path;
  std::string_view content_type;
  std::string_view bytes;
};

/// FNV-1a: short, and different whenever a file was edited, which is all an ETag has to be.
std::string etag_of(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "\"%016llx\"", static_cast<unsigned long long>(hash));
  return text.data();
}

std::time_t date_of_binary() {
  struct stat binary{};
  return ::stat("/proc/self/exe", &binary) == 0 ? binary.st_mtime : std::time(nullptr);
}

/// A list of tags, perhaps weak ones, or `*`. Source: RFC 9110 §13.1.2.
bool matches(std::string_view if_none_match, std::string_view etag) {
  return if_none_match == "*" || if_none_match.find(etag) != std::string_view::npos;
}

bool is_unchanged(const Headers& headers, std::string_view etag, std::string_view last_modified) {
  if (const auto tags = headers.find("If-None-Match")) return matches(*tags, etag);
  // We only ever give out one date, so a client that sends another one back has another file.
  return headers.find("If-Modified-Since") == last_modified;
}

}  // namespace

StaticFiles::StaticFiles() : last_modified_(http_date(date_of_binary())) {}

Response StaticFiles::answer(const Request& request) const {
  const std::array<File, 3> files = {{
      {"/static/bookinfo.css", "text/css; charset=utf-8", assets::kStyleCss},
      {"/static/bookinfo.js", "text/javascript; charset=utf-8", assets::kScriptJs},
      {"/static/img/izzy.png", "image/png", assets::kIzzyPng},
  }};
  for (const File& file : files) {
    if (request.path != file.path) continue;
    const std::string etag = etag_of(file.bytes);
    Response response;
    response.headers.add("ETag", etag);
    response.headers.add("Last-Modified", last_modified_);
    response.headers.add("Cache-Control", "no-cache");
    if (is_unchanged(request.headers, etag, last_modified_)) {
      response.status = 304;
      return response;
    }
    response.headers.add("Content-Type", file.content_type);
    response.body = file.bytes;
    return response;
  }
  return error_page(404, "Not Found");
}

}  // namespace bookinfo::productpage
