#include "proxy/testing/counting_upstream.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "http/message.h"

namespace weft::proxy::testing {
namespace {

std::string as_number(std::size_t number) { return std::to_string(number); }

/// Takes a request from the front of `text`, as far as it is whole.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<SeenRequest> read() {
    SeenRequest seen;
    const auto first = line();
    if (!first || !fields(seen)) return std::nullopt;
    seen.line = *first;
    const bool whole = chunked_ ? chunks(seen) : bytes(length_, seen.body);
    return whole ? std::optional(std::move(seen)) : std::nullopt;
  }
  std::size_t used() const { return at_; }

 private:
  std::optional<std::string> line() {
    const std::size_t end = text_.find('\n', at_);
    if (end == text_.npos) return std::nullopt;
    std::string taken(text_.substr(at_, end - at_));
    at_ = end + 1;
    if (taken.ends_with('\r')) taken.pop_back();
    return taken;
  }
  bool fields(SeenRequest& seen) {
    for (;;) {
      const auto each = line();
      if (!each) return false;
      if (each->empty()) return true;
      const std::size_t colon = std::min(each->find(':'), each->size());
      const std::string_view name = trim(std::string_view(*each).substr(0, colon));
      const std::string_view value = trim(std::string_view(*each).substr(std::min(colon + 1, each->size())));
      seen.fields.emplace_back(name, value);
      if (http::equal_ignoring_case(name, "content-length"))
        length_ = static_cast<std::size_t>(std::strtoull(std::string(value).c_str(), nullptr, 10));
      else if (http::equal_ignoring_case(name, "transfer-encoding"))
        chunked_ = value.find("chunked") != value.npos;
    }
  }
  bool bytes(std::size_t size, std::string& into) {
    if (text_.size() - at_ < size) return false;
    into.append(text_.substr(at_, size));
    at_ += size;
    return true;
  }
  bool chunks(SeenRequest& seen) {
    for (;;) {
      const auto size_line = line();
      if (!size_line) return false;
      const auto size = static_cast<std::size_t>(std::strtoull(size_line->c_str(), nullptr, 16));
      if (size == 0) return fields(seen);
      if (!bytes(size, seen.body) || !line()) return false;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0, length_ = 0;
  bool chunked_ = false;
};

}  // namespace

std::string SeenRequest::target() const {
  const std::size_t begin = std::min(line.find(' '), line.size() - 1) + 1;
  return line.substr(begin, line.find(' ', begin) - begin);
}

std::size_t SeenRequest::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(fields.begin(), fields.end(), [&](const auto& each) {
    return http::equal_ignoring_case(each.first, name);
  }));
}

CountingUpstream::CountingUpstream(SimulatedPlane& plane) {
  plane.accept = [this](const net::Address&,
                        std::unique_ptr<SimulatedPlane::PipeEnd> server) -> Result<void> {
    connections.emplace_back().stream = std::move(server);
    tasks_.spawn(serve(connections.back()));
    return {};
  };
}

net::Task<void> CountingUpstream::serve(Connection& connection) {
  for (char block[4096];;) {
    const net::IoResult got = co_await connection.stream->read(block);
    if (!got.ok()) break;
    connection.raw.append(block, got.bytes);
    for (;;) {
      Reader reader(std::string_view(connection.raw).substr(connection.understood));
      std::optional<SeenRequest> seen = reader.read();
      if (!seen) break;
      connection.understood += reader.used();
      const std::string body = seen->target();
      std::string text =
          reply ? reply(*seen)
                : "HTTP/1.1 200 OK\r\ncontent-length: " + as_number(body.size()) + "\r\n\r\n" + body;
      requests.push_back(*std::move(seen));
      if (!text.empty()) static_cast<void>(co_await connection.stream->write(text));
    }
  }
  connection.ended = true;
}

std::string CountingUpstream::raw() const {
  std::string all;
  for (const Connection& each : connections) all += each.raw;
  return all;
}

}  // namespace weft::proxy::testing
