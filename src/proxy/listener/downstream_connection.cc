#include "proxy/listener/downstream_connection.h"

#include <array>

#include "proxy/listener/tcp_service.h"
#include "proxy/request/http_service.h"
#include "proxy/worker_facts.h"

namespace weft::proxy {
namespace {

/// How long a first line may take from its first byte on. One that is still begun then goes to the HTTP
/// codec, whose own limit for a head ends it.
constexpr Duration kFirstLine = 10s;
/// How long the transport of a chain may take before the connection can be used.
constexpr Duration kHandshake = 15s;

/// Where first bytes are looked at; nothing in it outlives a look, so one for all connections of a thread
/// will do.
std::span<char> looking_glass() {
  static thread_local std::array<char, Sniffer::kMax> bytes;
  return bytes;
}

}  // namespace

DownstreamConnection::DownstreamConnection(WorkerFacts& facts, AcceptedConnection accepted,
                                           std::shared_ptr<const CompiledListener> listener)
    : facts_(facts),
      stream_(std::move(accepted.stream)),
      original_destination_(accepted.original_destination),
      listener_(std::move(listener)),
      before_(facts.snapshot) {
  info_.id = facts_.connections.add(*this);
  info_.peer = accepted.peer;
  info_.local = accepted.local;
  info_.transport_protocol = "raw_buffer";
}

DownstreamConnection::~DownstreamConnection() { facts_.connections.remove(info_.id); }

/// Where the client meant to go decides which listener it belongs to and which chain of it.
void DownstreamConnection::restore_destination() {
  const ListenerConfig& config = *listener_->config;
  if (!config.use_original_destination && !config.original_destination_filter) return;
  const net::Address accepted_at = info_.local;
  const net::Address& wanted = original_destination_;
  if (wanted.is_ip() && wanted != accepted_at) {
    info_.local = wanted;
    info_.local_restored = true;
  }
  to_itself_ = leads_to_itself(accepted_at);
  if (to_itself_) ++facts_.counters.listeners[config.name].downstream_cx_to_itself;
  if (!info_.local_restored) return;
  if (!config.use_original_destination) return;
  if (auto better = facts_.snapshot->listener_for(wanted);
      better && better->config->address.port() != config.address.port())
    listener_ = std::move(better);
}

/// Whether the destination is a port of this very machine on which we capture: no client means to go there.
bool DownstreamConnection::leads_to_itself(const net::Address& accepted_at) const {
  const bool ours = info_.local.is_loopback() || info_.local.with_port(0) == accepted_at.with_port(0);
  if (!ours) return false;
  for (const auto& [name, listener] : facts_.snapshot->listeners) {
    const ListenerConfig& config = *listener->config;
    const bool captures = config.use_original_destination || config.original_destination_filter;
    if (captures && config.bind_to_port && config.address.port() == info_.local.port()) return true;
  }
  return false;
}

net::Task<void> DownstreamConnection::run() {
  restore_destination();
  info_.peer_text = info_.peer.to_string();
  info_.local_text = info_.local.to_string();
  wanted_ = sniffing_for(*listener_, info_.local);
  FirstWord word = FirstWord::kKnown;
  if (wanted_.any()) word = co_await hear(when_silent());
  if (word == FirstWord::kGone || !choose()) co_return;
  // Who has said nothing may still speak HTTP, and then its rules are to hold.
  if (word == FirstWord::kSilent && wanted_.http && !chain_->http() && !chain_->config->transport)
    if (!co_await serve_silent(*this, *chain_)) co_return;
  if (chain_->config->transport && !co_await secure()) co_return;
  if (chain_->http()) {
    co_await serve_http();
  } else {
    settle_as_tcp();
    co_await serve_tcp(*this, *chain_);
  }
}

const CompiledChain* DownstreamConnection::choose() {
  chain_ = choose_chain(*listener_, {info_.local, info_.transport_protocol, application_protocol_});
  if (!chain_) {
    ++facts_.counters.listeners[listener_->config->name].no_filter_chain_match;
    log_rejected(Flag::kNoRoute, "filter_chain_not_found", {});
    stream_->close(true);
  }
  return chain_;
}

TimePoint DownstreamConnection::when_silent() const {
  const auto limit = listener_->config->sniff_timeout;
  return limit.count() ? stream_->loop().now() + limit : kNever;
}

net::Task<DownstreamConnection::FirstWord> DownstreamConnection::hear(TimePoint silent_until) {
  Sniffer sniffer;
  bool begun = false;
  TimePoint limit = silent_until;
  for (;;) {
    stream_->set_read_deadline(limit);
    const net::IoError waited = co_await stream_->readable();
    const bool late = waited == net::IoError::kTimeout;
    if (late && !begun) {
      stream_->unpeek();
      co_return listener_->config->continue_on_sniff_timeout ? FirstWord::kSilent : FirstWord::kGone;
    }
    if (waited != net::IoError::kNone && !late) co_return FirstWord::kGone;
    const std::span<char> glass = looking_glass();
    const net::IoResult got = stream_->peek(glass);
    if (got.error == net::IoError::kWouldBlock) continue;
    if (!got.ok()) co_return FirstWord::kGone;
    if (!std::exchange(begun, true)) limit = stream_->loop().now() + kFirstLine;
    const std::string_view bytes(glass.data(), got.bytes);
    Sniffed seen =
        wanted_.http || bytes.front() == Sniffer::kHandshake ? sniffer.look(bytes) : Sniffed::kOther;
    if (seen == Sniffed::kUndecided && stream_->peer_ended()) seen = sniffer.at_end(bytes);
    if (seen == Sniffed::kUndecided && late) seen = sniffer.when_late(bytes);
    if (seen == Sniffed::kUndecided) continue;
    take(seen);
    stream_->unpeek();
    co_return FirstWord::kKnown;
  }
}

void DownstreamConnection::take(Sniffed seen) {
  switch (seen) {
    case Sniffed::kHttp10: application_protocol_ = "http/1.0"; break;
    case Sniffed::kHttp11: application_protocol_ = "http/1.1"; break;
    case Sniffed::kHttp2: application_protocol_ = "h2c"; break;
    case Sniffed::kTls: info_.transport_protocol = "tls"; break;
    default: break;
  }
}

net::Task<bool> DownstreamConnection::secure() {
  const std::shared_ptr<const CompiledChain> chain = current_chain();
  auto made = co_await (*chain->config->transport)(std::move(stream_), facts_.loop.now() + kHandshake);
  if (made) {
    stream_ = std::move(*made);
    co_return true;
  }
  ++facts_.counters.listeners[listener_->config->name].downstream_cx_transport_failed;
  log_rejected(Flag::kDownstreamTerminated, "downstream_transport_failure", std::move(made).error().text);
  co_return false;
}

net::Task<void> DownstreamConnection::serve_http() {
  follow(std::exchange(before_, nullptr));
  HttpService service(*this);
  http_ = &service;
  struct Reset {
    HttpService*& place;
    ~Reset() { place = nullptr; }
  } reset{http_};
  co_await service.run();
}

bool DownstreamConnection::take_over_successor() {
  const auto& listeners = facts_.snapshot->listeners;
  const auto found = listeners.find(listener_->config->name);
  if (found == listeners.end()) return false;
  if (found->second == listener_) return true;
  const CompiledChain* const newer = found->second->successor_of(*listener_, *chain_);
  if (!newer) return false;
  chain_ = newer;
  listener_ = found->second;
  return true;
}

void DownstreamConnection::follow(CompiledSnapshotPtr before) {
  if (!take_over_successor()) before_ = std::move(before);
}

void DownstreamConnection::meet(const CompiledSnapshotPtr& before) {
  const bool serves_tcp = chain_ && !chain_->http() && !before_;
  if (serves_tcp) return meet_as_tcp();
  if (!http_ || left_behind()) return;
  follow(before);
  if (!left_behind()) return;
  if (stream_->quiet())
    drain();
  else
    begin_graceful_drain();  // what has come already is served
}

void DownstreamConnection::settle_as_tcp() {
  before_.reset();
  meet_as_tcp();
}

/// The task that serves it holds the listener of its beginning. Once the port has other rules, a connection
/// that never ends would stay outside of them forever.
void DownstreamConnection::meet_as_tcp() {
  if (tcp_drain_ || take_over_successor()) return;
  tcp_drain_ = std::make_unique<net::Timer>(stream_->loop(), [this] { stream_->close(); });
  tcp_drain_->arm(stream_->loop().now() + facts_.limits.tcp_drain_time);
}

std::shared_ptr<const RoutingTable> DownstreamConnection::routes() const {
  return (before_ ? before_ : facts_.snapshot)->routes_of(*chain_);
}

void DownstreamConnection::log_rejected(Flag flag, std::string_view details, std::string why) {
  RequestInfo info;
  info.connection = &info_;
  info.started_at = std::chrono::system_clock::now();
  info.started = info.ended = facts_.loop.now();
  info.flags.set(flag);
  info.details = details;
  info.downstream_failure = std::move(why);
  facts_.logs.write(listener_->logs, info);
}

void DownstreamConnection::drain() {
  if (http_) http_->drain();
}

void DownstreamConnection::begin_graceful_drain() {
  if (http_) http_->begin_graceful_drain();
}

}  // namespace weft::proxy
