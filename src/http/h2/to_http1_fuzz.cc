#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "http/h1/client_connection.h"
#include "http/h2/server_connection.h"
#include "http/websocket.h"
#include "net/testing/pipe.h"

namespace {

using namespace weft::http;
using Fields = std::vector<std::pair<std::string, std::string>>;

/// What the session has given of one request.
struct Given {
  const RequestHead& head;
  bool with_body = false, whole = false;
  std::string body{};
  Fields trailers{};
};

/// An upstream that reads one request by the letter of RFC 9112 §2.2 to §7.1, with none of our code: it
/// aborts at what a strict server rejects.
class StrictReader {
 public:
  explicit StrictReader(std::string_view bytes) : rest_(bytes) {}

  /// False: the request is not whole.
  bool read() {
    std::string_view line;
    if (!take_line(line)) return false;
    const auto first = line.find(' '), second = line.find(' ', first + 1);
    WEFT_ASSERT(first != std::string_view::npos && second != std::string_view::npos);
    method = line.substr(0, first);
    target = line.substr(first + 1, second - first - 1);
    WEFT_ASSERT(is_name(method) && is_visible(target) && line.substr(second) == " HTTP/1.1");
    return read_fields(fields) && read_body();
  }
  /// What stands behind it.
  std::string_view rest() const { return rest_; }

  std::string_view method, target;
  Fields fields, trailers;
  std::string body;
  bool chunked = false;

 private:
  static bool is_visible(std::string_view text) {
    for (const char c : text)
      if (c <= ' ' || c == 0x7f) return false;
    return !text.empty();
  }
  static bool is_name(std::string_view text) {
    return is_visible(text) && text.find_first_of("\"(),/:;<=>?@[\\]{}") == std::string_view::npos;
  }

  bool take_line(std::string_view& line) {
    const auto end = rest_.find("\r\n");
    if (end == std::string_view::npos) return false;
    line = rest_.substr(0, end);
    rest_.remove_prefix(end + 2);
    for (const char c : line) WEFT_ASSERT(c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f));
    return true;
  }

  bool read_fields(Fields& into) {
    for (std::string_view line; take_line(line);) {
      if (line.empty()) return true;
      const auto colon = line.find(": ");
      WEFT_ASSERT(colon != std::string_view::npos && is_name(line.substr(0, colon)));
      into.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    return false;
  }

  bool read_body() {
    const std::string* length = nullptr;
    for (const auto& [name, value] : fields) {
      if (name != "content-length" && name != "transfer-encoding") continue;
      WEFT_ASSERT(!length && !chunked);
      if (name == "content-length")
        length = &value;
      else
        chunked = value == "chunked";
      WEFT_ASSERT(length || chunked);
    }
    if (chunked) return read_chunks();
    return !length || take_data(number(*length, 10));
  }

  bool read_chunks() {
    for (std::string_view line; take_line(line);) {
      const std::size_t size = number(line, 16);
      if (size == 0) return read_fields(trailers);
      if (!take_data(size) || rest_.size() < 2) return false;
      WEFT_ASSERT(rest_.starts_with("\r\n"));
      rest_.remove_prefix(2);
    }
    return false;
  }

  bool take_data(std::size_t size) {
    if (rest_.size() < size) return false;
    body += rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  static std::size_t number(std::string_view text, int base) {
    std::size_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value, base);
    WEFT_ASSERT(read.ec == std::errc() && read.ptr == text.data() + text.size());
    return value;
  }

  std::string_view rest_;
};

bool gets_a_key(const RequestHead& head) {
  return websocket::is_token_of(head.upgrade) && !head.headers.get(websocket::kKey);
}

/// The fields that the upstream may see, and no other; a WebSocket's key is one of our own.
Fields fields_of(const Given& given) {
  const RequestHead& head = given.head;
  Fields fields = {{"host", head.authority}};
  for (const Headers::Field field : head.headers) {
    if (field.known == HeaderId::kTe) fields.emplace_back("Connection", "TE");
    fields.emplace_back(field.name, field.value);
  }
  if (head.content_length)
    fields.emplace_back("content-length", std::to_string(*head.content_length));
  else if (given.with_body)
    fields.emplace_back("transfer-encoding", "chunked");
  if (head.upgrade.empty()) return fields;
  fields.emplace_back("connection", "upgrade");
  fields.emplace_back("upgrade", head.upgrade);
  return fields;
}

void check_strictly(std::string_view bytes, const Given& given) {
  StrictReader reader(bytes);
  const bool whole = reader.read();
  // One that was cut can look whole only where its length has been reached, and nothing stands behind it.
  WEFT_ASSERT(given.whole || !whole || (!reader.chunked && reader.rest().empty()));
  if (!given.whole) return;
  WEFT_ASSERT(whole && reader.rest().empty());
  WEFT_ASSERT(reader.method == given.head.method);
  WEFT_ASSERT(reader.target == (given.head.path.empty() ? given.head.authority : given.head.path));
  if (gets_a_key(given.head))
    WEFT_ASSERT(
        std::erase_if(reader.fields, [](const auto& each) { return each.first == websocket::kKey; }) == 1);
  WEFT_ASSERT(reader.fields == fields_of(given));
  WEFT_ASSERT(reader.body == given.body);
  WEFT_ASSERT(reader.trailers == (reader.chunked ? given.trailers : Fields{}));
}

/// Without TE, which HTTP/1 says once.
std::size_t count_of(const Headers& headers) { return headers.size() - headers.count(HeaderId::kTe); }

/// A waypoint behind this one: it has to see the same request.
void check_by_our_parser(std::string_view bytes, const Given& given) {
  const Limits limits{
      .head_bytes = 1u << 20, .fields = 1000, .request_line_bytes = 1u << 20, .trailer_bytes = 1u << 20};
  h1::RequestParser parser(limits);
  h1::BodyDecoder decoder(limits);
  RequestHead head;
  parser.start(head);
  const h1::HeadStep step = parser.feed(bytes);
  WEFT_ASSERT(step.done && !step.rejection);
  bytes.remove_prefix(step.consumed);
  WEFT_ASSERT(head.method == given.head.method && head.path == given.head.path);
  WEFT_ASSERT(head.authority == given.head.authority && head.upgrade == given.head.upgrade);
  WEFT_ASSERT(count_of(head.headers) == count_of(given.head.headers) + gets_a_key(given.head));
  decoder.start(parser.framing(), parser.of_the_connection());
  std::string body;
  while (!decoder.done()) {
    const h1::BodyStep piece = decoder.decode(bytes);
    WEFT_ASSERT(!piece.rejection && (piece.consumed > 0 || decoder.done()));
    body += piece.data;
    bytes.remove_prefix(piece.consumed);
  }
  WEFT_ASSERT(bytes.empty() && body == given.body);
}

/// Sends each request on as the proxy does, and looks at what has been written when it is over.
struct Proxy {
  weft::net::Loop& loop;

  weft::net::Task<void> handle(ServerExchange& exchange) {
    auto [ours, theirs] = weft::net::testing::make_pipe(loop, 16u << 20);
    h1::ClientConnection upstream(std::move(ours));
    ClientExchange& out = upstream.start();
    Given given{exchange.request()};
    given.with_body = !exchange.request_complete();
    WEFT_ASSERT((co_await out.send_head(given.head, !given.with_body)).has_value());
    given.whole = !given.with_body || co_await send_body(exchange, out, given);
    const std::string written = theirs->take();
    upstream.finish(out);
    check_strictly(written, given);
    if (!given.whole) co_return exchange.reset();
    check_by_our_parser(written, given);
    ResponseHead response;
    response.status = 403;
    static_cast<void>(co_await exchange.send_head(response, true));
  }

  static weft::net::Task<bool> send_body(ServerExchange& exchange, ClientExchange& out, Given& given) {
    for (;;) {
      const auto chunk = co_await exchange.read_body();
      if (!chunk) co_return false;
      given.body += chunk->data;
      const bool end = chunk->end && !chunk->trailers;
      WEFT_ASSERT((co_await out.send_body(chunk->data, end)).has_value());
      if (end) co_return true;
      if (!chunk->end) continue;
      for (const Headers::Field field : *chunk->trailers)
        given.trailers.emplace_back(field.name, field.value);
      WEFT_ASSERT((co_await out.send_trailers(*chunk->trailers)).has_value());
      co_return true;
    }
  }
};

}  // namespace

/// Bytes as a client of HTTP/2 would send them behind a valid beginning, in pieces as long as the first byte
/// says. Each request that a handler is given is sent on to a server of HTTP/1: two readers see that request
/// there, exactly once, and nothing else; of one that was cut they see no end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto loop = weft::net::Loop::simulated();
  auto [ours, theirs] = weft::net::testing::make_pipe(*loop);
  ServerSessionOptions options;
  options.http2.extended_connect = true;
  h2::ServerConnection connection(*ours, options);
  weft::net::TaskScope tasks;
  Proxy proxy{*loop};
  const Handler handler = [&proxy](ServerExchange& exchange) { return proxy.handle(exchange); };
  tasks.spawn(connection.serve(handler));
  std::string bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  weft::net::testing::send_in_pieces(*loop, *theirs, bytes, data[0] + 1u);
  loop->advance(options.body_timeout + options.header_timeout);
  WEFT_ASSERT(tasks.active() == 0);
  return 0;
}
