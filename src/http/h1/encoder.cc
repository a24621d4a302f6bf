#include "http/h1/encoder.h"

#include <charconv>

namespace weft::http::h1 {
namespace {

void write_number(std::string& out, std::uint64_t number, int base = 10) {
  char digits[20];
  const auto result = std::to_chars(digits, digits + sizeof digits, number, base);
  out.append(digits, static_cast<std::size_t>(result.ptr - digits));
}

void write_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void write_fields(std::string& out, const Headers& headers) {
  for (const Headers::Field field : headers) {
    if (field.known == Known::kTe) {
      write_field(out, "Connection", "TE");
    }
    write_field(out, field.name, field.value);
  }
}

void write_length(std::string& out, std::uint64_t length) {
  out.append("content-length: ");
  write_number(out, length);
  out.append("\r\n");
}

}  // namespace

void write_request_head(std::string& out, const RequestHead& head, BodyForm form) {
  out.append(head.method).push_back(' ');
  out.append(head.path.empty() ? std::string_view(head.authority) : std::string_view(head.path));
  out.append(" HTTP/1.1\r\n");
  write_field(out, "host", head.authority);
  write_fields(out, head.headers);
  if (form == BodyForm::kLength || head.content_length)
    write_length(out, head.content_length.value_or(0));
  else if (form == BodyForm::kChunked)
    out.append("transfer-encoding: chunked\r\n");
  if (!head.upgrade.empty()) {
    out.append("connection: upgrade\r\n");
    write_field(out, "upgrade", head.upgrade);
  }
  out.append("\r\n");
}

void write_response_head(std::string& out, const ResponseHead& head, const ResponseForm& form) {
  out.append("HTTP/1.1 ");
  write_number(out, static_cast<std::uint64_t>(head.status));
  out.push_back(' ');
  out.append(head.reason.empty() ? reason_phrase(head.status) : std::string_view(head.reason)).append("\r\n");
  write_fields(out, head.headers);
  if (form.body == BodyForm::kLength || (form.length_only && head.content_length))
    write_length(out, head.content_length.value_or(0));
  else if (form.body == BodyForm::kChunked)
    out.append("transfer-encoding: chunked\r\n");
  if (!head.upgrade.empty()) {
    out.append("connection: upgrade\r\n");
    write_field(out, "upgrade", head.upgrade);
  } else if (form.close) {
    out.append("connection: close\r\n");
  } else if (form.keep_alive) {
    out.append("connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

void write_chunk_size(std::string& out, std::size_t size) {
  write_number(out, size, 16);
  out.append("\r\n");
}

}  // namespace weft::http::h1
