#pragma once

#include <memory>
#include <utility>

#include "http/exchange.h"

namespace weft::proxy {

/// What an HTTP filter puts before the client of one request to change bodies on their way: what reads the
/// request and writes the response, the router as well as local replies, does so through it. Each function
/// hands on to the client's side; a filter overrides what it changes. Nothing is collected: a piece is
/// changed and handed on, so that back-pressure stays what it is.
///
/// Owner: the request's HttpStream, to its end; made by HttpFilter::on_request() and given to
/// HttpStream::filter_exchange(). Thread: the worker's loop.
class ExchangeFilter : public http::ServerExchange {
 public:
  /// The head of the response is as the routes and the filters want it; none of it has left.
  virtual void on_response(http::ResponseHead&) {}

  http::RequestHead& request() override { return client().request(); }
  http::ResponseHead& response() override { return client().response(); }
  bool request_complete() const override { return client_->request_complete(); }
  bool body_available() const override { return client_->body_available(); }
  net::Task<Result<http::BodyChunk>> read_body() override { return client().read_body(); }
  void set_body_timeout(Duration between_pieces) override { client().set_body_timeout(between_pieces); }
  const http::Rejection& rejection() const override { return client_->rejection(); }
  net::Task<Result<void>> send_interim(const http::ResponseHead& head) override {
    return client().send_interim(head);
  }
  net::Task<Result<void>> send_head(const http::ResponseHead& head, bool end) override {
    return client().send_head(head, end);
  }
  net::Task<Result<void>> send_body(std::string_view data, bool end) override {
    return client().send_body(data, end);
  }
  net::Task<Result<void>> send_trailers(const http::Headers& trailers) override {
    return client().send_trailers(trailers);
  }
  net::Task<Result<void>> flush() override { return client().flush(); }
  void set_response_deadline(TimePoint when) override { client().set_response_deadline(when); }
  bool response_started() const override { return client_->response_started(); }
  bool response_complete() const override { return client_->response_complete(); }
  void reset() override { client().reset(); }
  Upgraded upgrade() override { return client().upgrade(); }
  void on_disconnect(std::function<void()> action) override { client().on_disconnect(std::move(action)); }
  std::uint64_t body_bytes_received() const override { return client_->body_bytes_received(); }
  std::uint64_t body_bytes_sent() const override { return client_->body_bytes_sent(); }
  std::string_view reset_code() const override { return client_->reset_code(); }

  /// HttpStream's: `client` is the client, or what `nearer` leads to, which it then owns.
  void stand_before(http::ServerExchange& client, std::unique_ptr<ExchangeFilter> nearer) {
    client_ = &client;
    nearer_ = std::move(nearer);
  }
  ExchangeFilter* nearer_to_client() const { return nearer_.get(); }

 protected:
  http::ServerExchange& client() { return *client_; }

 private:
  http::ServerExchange* client_ = nullptr;
  std::unique_ptr<ExchangeFilter> nearer_;
};

}  // namespace weft::proxy
