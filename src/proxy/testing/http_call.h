#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/client_session.h"
#include "http/server_session.h"

namespace weft::proxy::testing {

/// A request with all that it may have, and its response, of any version.
struct Message {
  http::RequestHead head;
  std::string body;
  http::Headers trailers;
  bool has_body = false;  ///< also an empty one
};

/// One exchange of a client, in progress from the beginning.
///
/// Owner: the test; `session` outlives it. How it ends: with its task, or the destructor, which cuts it.
class HttpCall {
 public:
  HttpCall(http::ClientSession& session, Message request);
  ~HttpCall();
  HttpCall(const HttpCall&) = delete;
  HttpCall& operator=(const HttpCall&) = delete;

  bool done() const { return done_; }
  /// 0 while there is none, or when the exchange broke.
  int status() const { return response.status; }
  void cancel() { end(); }

  http::ResponseHead response;
  std::string body;
  http::Headers trailers;
  std::vector<http::ResponseHead> interims;  ///< those that came before `response`
  std::optional<Error> error;

 private:
  net::Task<void> run(Message request);
  net::Task<Result<void>> exchange(const Message& request);
  net::Task<Result<void>> send(const Message& request);
  net::Task<Result<void>> receive();
  void end();

  http::ClientSession& session_;
  http::ClientExchange* exchange_;
  bool done_ = false;
  net::TaskScope tasks_;
};

/// "GET /path" to "test".
Message get(std::string path);

}  // namespace weft::proxy::testing
