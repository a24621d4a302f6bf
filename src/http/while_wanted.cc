#include "http/while_wanted.h"

#include "net/signal.h"

namespace weft::http {
namespace {

/// Ends the pair with a failure in either case, so that the other half is cancelled.
net::Task<Result<void>> finish(net::Task<Result<void>> work, Result<void>& outcome) {
  outcome = co_await work;
  co_return fail(Error::internal(Code::kClosed, "done"));
}

net::Task<Result<void>> gone(net::Signal& signal) {
  co_await signal.wait();
  co_return fail(Error::downstream(Code::kCancelled, "the client has gone"));
}

struct Notice {
  Notice(ServerExchange& exchange_, net::Signal& signal) : exchange(exchange_) {
    exchange.on_disconnect([&signal] { signal.notify(); });
  }
  ~Notice() { exchange.on_disconnect({}); }
  ServerExchange& exchange;
};

}  // namespace

net::Task<Result<void>> while_wanted(ServerExchange& exchange, net::Loop& loop,
                                     net::Task<Result<void>> work) {
  net::Signal signal(loop);
  const Notice notice(exchange, signal);
  Result<void> outcome = fail(Error::downstream(Code::kCancelled, "the client has gone"));
  static_cast<void>(co_await net::both(finish(std::move(work), outcome), gone(signal)));
  co_return outcome;
}

}  // namespace weft::http
