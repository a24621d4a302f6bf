#pragma once

#include <memory>
#include <string>

#include "net/stream.h"
#include "proxy/listener/accepted_connection.h"
#include "proxy/listener/compiled_listener.h"
#include "proxy/listener/sniff.h"
#include "proxy/log/request_info.h"

namespace weft::proxy {

struct WorkerFacts;
class HttpService;

/// One accepted connection, from its first byte to its end: where it was meant to go, which filter chain, and
/// then HTTP or TCP.
///
/// Owner: the worker's task that runs it. Thread: the worker's loop. How it ends: run() returns, or its task
/// is destroyed.
class DownstreamConnection {
 public:
  DownstreamConnection(WorkerFacts& facts, AcceptedConnection accepted,
                       std::shared_ptr<const CompiledListener> listener);
  ~DownstreamConnection();
  DownstreamConnection(const DownstreamConnection&) = delete;
  DownstreamConnection& operator=(const DownstreamConnection&) = delete;

  net::Task<void> run();
  /// Ends the connection when its request in progress is served; at once when it has none.
  void drain();
  /// The next response ends the connection; an idle one waits for its next request.
  void begin_graceful_drain();

  WorkerFacts& facts() { return facts_; }
  net::Stream& stream() { return *stream_; }
  const ConnectionInfo& info() const { return info_; }
  /// Where an ORIGINAL_DST cluster is to go: where the client meant to. Empty when that is one of our own
  /// capturing listeners, which would only send the connection to itself again.
  net::Address original_destination() const { return to_itself_ ? net::Address() : info_.local; }
  /// As first bytes, or the transport, say; empty where they were not looked at.
  std::string_view application_protocol() const { return application_protocol_; }
  const CompiledListener& listener() const { return *listener_; }
  std::shared_ptr<const CompiledListener> shared_listener() const { return listener_; }
  /// The worker runs another snapshot than `before`: an old connection follows its listener and chain. One
  /// whose listener or chain is not there any more is drained: HTTP with its next response, TCP after
  /// ProcessLimits::tcp_drain_time. May end the connection.
  void meet(const CompiledSnapshotPtr& before);
  /// Whether its listener or chain is gone: its next response is its last.
  bool left_behind() const { return before_ != nullptr; }
  /// The chain in its newest version. It holds its listener; meet() may let go of the one before.
  std::shared_ptr<const CompiledChain> current_chain() const { return {listener_, chain_}; }
  bool goes_by(const CompiledChain* chain) const { return chain == chain_; }
  /// The routes of that chain; of the last snapshot that had it when it is gone. Null while they have not
  /// come.
  std::shared_ptr<const RoutingTable> routes() const;

  /// What the client's first bytes tell.
  enum class FirstWord : std::uint8_t { kGone, kSilent, kKnown };
  /// Looks at the first bytes without taking them, until it is known what they are. kSilent: none came until
  /// `silent_until`, and the connection may go on without; kGone: the client left, or the connection is over.
  net::Task<FirstWord> hear(TimePoint silent_until);
  /// Chooses the chain for what hear() found; null, and logged, when there is none.
  const CompiledChain* choose();
  /// It is known to be no HTTP: from now on it goes by what meet() says of TCP.
  void settle_as_tcp();

 private:
  void restore_destination();
  bool leads_to_itself(const net::Address& accepted_at) const;
  TimePoint when_silent() const;
  void take(Sniffed seen);
  /// Lets the chain's transport make of the stream what is served. False: it failed, and was logged.
  net::Task<bool> secure();
  net::Task<void> serve_http();
  /// Goes on with listener and chain as they are now; false when one of them is gone.
  bool take_over_successor();
  void meet_as_tcp();
  void follow(CompiledSnapshotPtr before);
  /// The line of a connection that is not served.
  void log_rejected(Flag flag, std::string_view details, std::string why);

  WorkerFacts& facts_;
  std::unique_ptr<net::Stream> stream_;
  net::Address original_destination_;  ///< as the kernel says it; empty where it was not asked
  std::shared_ptr<const CompiledListener> listener_;
  const CompiledChain* chain_ = nullptr;
  /// Until it is known what is spoken, the snapshot of the beginning; from then on null, unless listener or
  /// chain are gone: then the last snapshot that had them.
  CompiledSnapshotPtr before_;
  bool to_itself_ = false;
  Sniffing wanted_;
  ConnectionInfo info_;
  std::string_view application_protocol_;
  HttpService* http_ = nullptr;
  std::unique_ptr<net::Timer> tcp_drain_;  ///< of a TCP connection that is left behind
};

}  // namespace weft::proxy
