#include "common/message.h"

#include <algorithm>
#include <cctype>

#include "common/json.h"

namespace bookinfo {

bool same_name(std::string_view left, std::string_view right) {
  return std::ranges::equal(
      left, right, [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Line& line : lines_) {
    if (same_name(line.first, name)) return line.second;
  }
  return std::nullopt;
}

std::optional<std::string> Headers::joined(std::string_view name) const {
  std::optional<std::string> all;
  for (const Line& line : lines_) {
    if (!same_name(line.first, name)) continue;
    if (all) {
      *all += ',';
      *all += line.second;
    } else {
      all = line.second;
    }
  }
  return all;
}

void set_target(Request& request, std::string_view target) {
  if (const auto scheme = target.find("://"); scheme != std::string_view::npos && !target.starts_with('/')) {
    const auto path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? "/" : target.substr(path);
  }
  request.target = target;
  const auto mark = target.find('?');
  request.path = target.substr(0, mark);
  request.query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
}

Response json_response(unsigned status, std::string body) {
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = std::move(body)};
}

Response error_json(unsigned status, std::string_view text) {
  return json_response(status, compact_json({{"error", text}}));
}

Response html_response(unsigned status, std::string body) {
  return {
      .status = status, .headers = {{"Content-Type", "text/html; charset=utf-8"}}, .body = std::move(body)};
}

Response error_page(unsigned status, std::string_view reason) {
  const std::string title = std::to_string(status) + " " + std::string(reason);
  return html_response(status, "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>" +
                                   title + "</title></head>\n<body><h1>" + title + "</h1></body>\n</html>\n");
}

Response method_not_allowed(std::string_view allow) {
  Response response = error_page(405, "Method Not Allowed");
  response.headers.add("Allow", allow);
  return response;
}

}  // namespace bookinfo
