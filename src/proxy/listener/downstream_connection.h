#pragma once

#include <memory>
#include <string>

#include "net/socket.h"
#include "proxy/listener/compiled_listener.h"
#include "proxy/log/request_info.h"

namespace weft::proxy {

class Worker;
class HttpService;

/// One accepted connection, from its first byte to its end: where it was meant to go, which filter chain, and
/// then HTTP or TCP.
///
/// Owner: the worker's task that runs it. Thread: the worker's loop. How it ends: run() returns, or its task
/// is destroyed.
class DownstreamConnection {
 public:
  DownstreamConnection(Worker& worker, std::unique_ptr<net::Socket> socket,
                       std::shared_ptr<const CompiledListener> listener);
  ~DownstreamConnection();
  DownstreamConnection(const DownstreamConnection&) = delete;
  DownstreamConnection& operator=(const DownstreamConnection&) = delete;

  net::Task<void> run();
  /// Ends the connection when its request in progress is answered; at once when it has none.
  void drain();
  /// The next answer ends the connection; an idle one waits for its next request.
  void take_leave();
  /// The client has gone: what is done for it upstream is given up.
  void abandon();

  Worker& worker() { return worker_; }
  net::Socket& socket() { return *socket_; }
  const ConnectionInfo& info() const { return info_; }
  /// Where an ORIGINAL_DST cluster is to go: where the client meant to. Empty when that is one of our own
  /// capturing listeners, which would only send the connection to itself again.
  net::Address original_destination() const { return to_itself_ ? net::Address() : info_.local; }
  const CompiledListener& listener() const { return *listener_; }
  std::shared_ptr<const CompiledListener> shared_listener() const { return listener_; }
  /// The chain as the worker's present snapshot has it: an old connection follows new routes. It holds its
  /// listener; the next call may let go of the one before.
  std::shared_ptr<const CompiledChain> current_chain();

 private:
  void restore_destination();
  bool leads_to_itself(const net::Address& accepted_at) const;
  net::Task<bool> sniff();
  net::Task<void> serve_http();
  void log_unmatched();

  Worker& worker_;
  std::unique_ptr<net::Socket> socket_;
  std::shared_ptr<const CompiledListener> listener_;
  const CompiledChain* chain_ = nullptr;
  CompiledSnapshotPtr seen_;
  std::ptrdiff_t chain_index_ = -1;
  bool to_itself_ = false;
  ConnectionInfo info_;
  std::string application_protocol_;
  HttpService* http_ = nullptr;
};

}  // namespace weft::proxy
