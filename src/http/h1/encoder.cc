#include "http/h1/encoder.h"

#include <algorithm>
#include <charconv>

#include "http/connection_fields.h"

namespace weft::http::h1 {
namespace {

void write_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto result = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, static_cast<std::size_t>(result.ptr - digits));
}

/// What only the codec writes, from the head's members: a second framing beside it would be another message
/// to the next reader. A wish to close may stand in the fields, and TE, which names what is written then.
bool is_own(const Headers::Field& field) {
  if (field.known == HeaderId::kContentLength) return true;
  if (field.known == HeaderId::kConnection) return !equal_ignoring_case(field.value, "close");
  return field.known != HeaderId::kTe && is_of_the_connection(field.known);
}

/// So many that their count fits one byte: the compiler then counts 16 or 32 at a time.
constexpr std::size_t kCountedAtOnce = 255;

std::uint8_t control_bytes(std::string_view part) {
  std::uint8_t count = 0;
  for (const char each : part) {
    const auto byte = static_cast<std::uint8_t>(each);
    count = static_cast<std::uint8_t>(count + (((byte < 0x20) & (byte != '\t')) | (byte == 0x7f)));
  }
  return count;
}

/// One head, and whether it is still one when it has been written: fields that come from configuration, or
/// are made from it, have not been validated.
class HeadWriter {
 public:
  explicit HeadWriter(std::string& out) : out_(out), start_(out.size()) {}

  HeadWriter& text(std::string_view part) {
    out_.append(part);
    return *this;
  }
  HeadWriter& number(std::uint64_t value) {
    write_number(out_, value);
    return *this;
  }
  void end_line() {
    out_.append("\r\n");
    ++lines_;
  }
  void field(std::string_view name, std::string_view value) {
    const std::size_t before = out_.size(), size = before + name.size() + value.size() + 4;
    // libstdc++ 12 tells the capacity instead of the size that was asked for.
    out_.resize_and_overwrite(size, [&](char* text, std::size_t) {
      char* const to = std::copy(name.begin(), name.end(), text + before);
      to[0] = ':';
      to[1] = ' ';
      char* const end = std::copy(value.begin(), value.end(), to + 2);
      end[0] = '\r';
      end[1] = '\n';
      return size;
    });
    ++lines_;
  }
  void fields(const Headers& headers) {
    for (const Headers::Field one : headers) {
      if (is_own(one)) continue;
      if (one.known == HeaderId::kTe) field("Connection", "TE");
      field(one.name, one.value);
    }
  }
  void length(std::uint64_t length) { text("content-length: ").number(length).end_line(); }

  /// RFC 9110 §5.5: no control byte but the tab, besides the line ends written here. Else nothing is written.
  bool finish() {
    end_line();
    const std::string_view written = std::string_view(out_).substr(start_);
    std::size_t controls = 0;
    for (std::size_t at = 0; at < written.size(); at += kCountedAtOnce)
      controls += control_bytes(written.substr(at, kCountedAtOnce));
    if (controls == 2 * lines_) return true;
    out_.resize(start_);
    return false;
  }

 private:
  std::string& out_;
  std::size_t start_, lines_ = 0;
};

}  // namespace

bool write_request_head(std::string& out, const RequestHead& head, BodyForm form) {
  const std::string_view target = head.path.empty() ? head.authority : head.path;
  if (target.find(' ') != std::string_view::npos) return false;
  HeadWriter writer(out);
  writer.text(head.method).text(" ").text(target).text(" HTTP/1.1").end_line();
  writer.field("host", head.authority);
  writer.fields(head.headers);
  if (form == BodyForm::kLength || (form == BodyForm::kNone && head.content_length))
    writer.length(head.content_length.value_or(0));
  else if (form == BodyForm::kChunked)
    writer.field("transfer-encoding", "chunked");
  if (!head.upgrade.empty()) {
    writer.field("connection", "upgrade");
    writer.field("upgrade", head.upgrade);
  }
  return writer.finish();
}

bool write_response_head(std::string& out, const ResponseHead& head, const ResponseForm& form) {
  HeadWriter writer(out);
  writer.text("HTTP/1.1 ").number(static_cast<std::uint64_t>(head.status)).text(" ");
  writer.text(head.reason.empty() ? reason_phrase(head.status) : std::string_view(head.reason)).end_line();
  writer.fields(head.headers);
  if (form.body == BodyForm::kLength || (form.length_only && head.content_length))
    writer.length(head.content_length.value_or(0));
  else if (form.body == BodyForm::kChunked)
    writer.field("transfer-encoding", "chunked");
  if (!head.upgrade.empty()) {
    writer.field("connection", form.close ? "upgrade, close" : "upgrade");
    writer.field("upgrade", head.upgrade);
  } else if (form.close) {
    writer.field("connection", "close");
  } else if (form.keep_alive) {
    writer.field("connection", "keep-alive");
  }
  return writer.finish();
}

bool write_trailers(std::string& out, const Headers& trailers) {
  HeadWriter writer(out);
  writer.text("0").end_line();
  writer.fields(trailers);
  return writer.finish();
}

ChunkFrame::ChunkFrame(std::size_t size, bool end) {
  if (size == 0) {
    after = end ? std::string_view("0\r\n\r\n") : std::string_view{};
    return;
  }
  char* const past = std::to_chars(digits_.data(), digits_.data() + digits_.size() - 2, size, 16).ptr;
  past[0] = '\r';
  past[1] = '\n';
  before = {digits_.data(), static_cast<std::size_t>(past + 2 - digits_.data())};
  after = end ? std::string_view("\r\n0\r\n\r\n") : std::string_view("\r\n");
}

}  // namespace weft::http::h1
