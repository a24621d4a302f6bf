#pragma once

#include <deque>
#include <string>

#include "http/grpc/stream.h"
#include "net/wait_queue.h"

namespace weft::control::testing {

/// The server's end of a gRPC call, played by a test.
class FakeStream final : public http::grpc::MessageStream {
 public:
  explicit FakeStream(net::Loop& loop) : arrived_(loop) {}

  net::Task<Result<std::string>> read() override {
    while (incoming.empty() && !ended) co_await arrived_.wait(kNever);
    if (incoming.empty()) co_return fail(Error::downstream(Code::kClosed, "ended"));
    std::string message = std::move(incoming.front());
    incoming.pop_front();
    co_return message;
  }
  net::Task<Result<void>> write_parts(std::string_view first,
                                      std::shared_ptr<const std::string> second) override {
    outgoing.emplace_back(std::string(first) + (second ? *second : ""));
    co_return Result<void>();
  }
  void finish(int status, std::string_view message) override {
    finished_with = status;
    finish_message = message;
  }

  void send(std::string message) {
    incoming.push_back(std::move(message));
    arrived_.notify_all();
  }
  void end() {
    ended = true;
    arrived_.notify_all();
  }

  std::deque<std::string> incoming, outgoing;
  bool ended = false;
  int finished_with = -1;
  std::string finish_message;

 private:
  net::WaitQueue arrived_;
};

}  // namespace weft::control::testing
