#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "http/exchange.h"

namespace weft::http::testing {

/// One request without a connection, for tests of a handler: gives the body in pieces of `step` bytes, keeps
/// the status and the body of the response, and never waits.
class FakeExchange final : public ServerExchange {
 public:
  FakeExchange(std::string method, std::string target, std::string body = {}, std::size_t step = 4096)
      : body_(std::move(body)), step_(step) {
    head_.method = std::move(method);
    head_.path = std::move(target);
    head_.authority = "test";
  }

  int status() const { return status_; }  ///< 0: there is no response
  const std::string& answer() const { return answer_; }
  /// As when the client goes away.
  void cancel() {
    if (const auto action = std::exchange(on_disconnect_, {})) action();
  }

  RequestHead& request() override { return head_; }
  ResponseHead& response() override { return response_head_; }
  const Rejection& rejection() const override { return rejection_; }
  bool request_complete() const override { return taken_ == body_.size(); }
  bool body_available() const override { return true; }
  net::Task<Result<BodyChunk>> read_body() override {
    const std::string_view piece = std::string_view(body_).substr(taken_, step_);
    taken_ += piece.size();
    co_return BodyChunk{piece, taken_ == body_.size()};
  }
  void set_body_timeout(Duration) override {}
  void set_response_deadline(TimePoint) override {}
  net::Task<Result<void>> send_interim(const ResponseHead&) override { co_return Result<void>{}; }
  net::Task<Result<void>> send_head(const ResponseHead& head, bool end) override {
    status_ = head.status;
    complete_ = end;
    co_return Result<void>{};
  }
  net::Task<Result<void>> send_body(std::string_view data, bool end) override {
    answer_.append(data);
    complete_ = end;
    co_return Result<void>{};
  }
  net::Task<Result<void>> send_trailers(const Headers&) override {
    complete_ = true;
    co_return Result<void>{};
  }
  net::Task<Result<void>> flush() override { co_return Result<void>{}; }
  bool response_started() const override { return status_ != 0; }
  bool response_complete() const override { return complete_; }
  void reset() override { complete_ = true; }
  Upgraded upgrade() override { return {nullptr, {}}; }
  void on_disconnect(std::function<void()> action) override { on_disconnect_ = std::move(action); }
  std::uint64_t body_bytes_received() const override { return taken_; }
  std::uint64_t body_bytes_sent() const override { return answer_.size(); }

 private:
  RequestHead head_;
  ResponseHead response_head_;
  Rejection rejection_;
  std::string body_, answer_;
  std::size_t step_, taken_ = 0;
  int status_ = 0;
  bool complete_ = false;
  std::function<void()> on_disconnect_;
};

}  // namespace weft::http::testing
