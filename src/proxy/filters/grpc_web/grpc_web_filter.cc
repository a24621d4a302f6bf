#include "proxy/filters/grpc_web/grpc_web_filter.h"

#include <algorithm>
#include <optional>

#include "base/base64.h"
#include "proxy/filters/exchange_filter.h"
#include "proxy/filters/grpc_web/text_decoder.h"
#include "proxy/filters/http_filter.h"
#include "proxy/request/grpc.h"
#include "proxy/request/http_stream.h"

namespace weft::proxy {
namespace {

constexpr std::string_view kGrpc = "application/grpc", kWeb = "application/grpc-web",
                           kWebText = "application/grpc-web-text";
/// A multiple of three, so that only the last of several slices is padded.
constexpr std::size_t kSlice = 12 * 1024;
constexpr char kTrailerFrame = '\x80';

enum class Form : std::uint8_t { kBinary, kText };

/// The last frame of a response: "name:value\r\n" for each field.
std::string trailer_frame(const http::Headers& trailers) {
  std::string fields;
  for (const http::Headers::Field field : trailers)
    fields.append(field.name).append(":").append(field.value).append("\r\n");
  std::string frame(1, kTrailerFrame);
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>(fields.size() >> shift);
  return frame + fields;
}

class GrpcWebExchange final : public ExchangeFilter {
 public:
  GrpcWebExchange(Form request, Form response) : request_form_(request), response_form_(response) {}

  net::Task<Result<http::BodyChunk>> read_body() override {
    return request_form_ == Form::kText ? read_text() : client().read_body();
  }

  void on_response(http::ResponseHead& head) override {
    const auto type = head.headers.get("content-type");
    const auto suffix = type ? type_suffix(*type, kGrpc) : std::nullopt;
    converts_ = suffix.has_value();
    if (!suffix) return;
    std::string web(response_form_ == Form::kText ? kWebText : kWeb);
    web += suffix->empty() ? "+proto" : *suffix;
    head.headers.set("content-type", web);
    head.content_length.reset();
  }

  net::Task<Result<void>> send_body(std::string_view data, bool end) override {
    return converts_ && response_form_ == Form::kText ? send_text(data, end) : client().send_body(data, end);
  }

  net::Task<Result<void>> send_trailers(const http::Headers& trailers) override {
    return converts_ ? send_last_frame(trailer_frame(trailers)) : client().send_trailers(trailers);
  }

 private:
  net::Task<Result<http::BodyChunk>> read_text() {
    for (;;) {
      WEFT_CO_TRY(http::BodyChunk chunk, co_await client().read_body());
      decoded_.clear();
      if (!decoder_.decode(chunk.data, decoded_) || (chunk.end && !decoder_.whole()))
        co_return fail(Error::downstream(Code::kInvalid, "a body of grpc-web-text is not base64"));
      chunk.data = decoded_;
      if (!decoded_.empty() || chunk.end) co_return chunk;
    }
  }

  net::Task<Result<void>> send_text(std::string_view data, bool end) {
    do {
      const std::string_view slice = data.substr(0, kSlice);
      data.remove_prefix(slice.size());
      const std::string text = encode_base64(slice);
      WEFT_CO_CHECK(co_await client().send_body(text, end && data.empty()));
    } while (!data.empty());
    co_return Result<void>{};
  }

  net::Task<Result<void>> send_last_frame(std::string frame) { co_return co_await send_body(frame, true); }

  const Form request_form_, response_form_;
  bool converts_ = false;  ///< the response is gRPC
  TextDecoder decoder_;
  std::string decoded_;
};

class GrpcWebFilter final : public HttpFilter {
 public:
  GrpcWebFilter() : HttpFilter({.request = true}) {}

  net::Task<FilterStatus> on_request(HttpStream& stream) const override {
    http::RequestHead& head = stream.request();
    const auto type = head.method == "POST" ? head.headers.get("content-type") : std::nullopt;
    if (!type) co_return FilterStatus::kContinue;
    const auto text_suffix = type_suffix(*type, kWebText);
    const auto suffix = text_suffix ? text_suffix : type_suffix(*type, kWeb);
    if (!suffix) co_return FilterStatus::kContinue;
    const Form form = text_suffix ? Form::kText : Form::kBinary;
    stream.filter_exchange(std::make_unique<GrpcWebExchange>(form, accepted_form(head, form)));
    head.headers.set("content-type", std::string(kGrpc) + std::string(*suffix));
    head.headers.set(http::HeaderId::kTe, "trailers");
    head.content_length.reset();
    co_return FilterStatus::kContinue;
  }

 private:
  /// Clients that can only take text say so.
  static Form accepted_form(const http::RequestHead& head, Form of_request) {
    const auto accept = head.headers.get("accept");
    if (!accept) return of_request;
    return accept->find(kWebText) != accept->npos ? Form::kText : Form::kBinary;
  }
};

}  // namespace

HttpFilterFactory grpc_web_filter() {
  return [] { return std::make_shared<const GrpcWebFilter>(); };
}

}  // namespace weft::proxy
