#include "proxy/listener/downstream_connection.h"

#include "proxy/listener/sniff.h"
#include "proxy/listener/tcp_service.h"
#include "proxy/request/http_service.h"
#include "proxy/worker.h"

namespace weft::proxy {
namespace {

constexpr std::size_t kSniffBytes = 4096;

bool wants_application_protocol(const CompiledListener& listener) {
  if (!listener.config->sniff_http) return false;
  for (const CompiledChain& chain : listener.chains)
    if (!chain.config->match.application_protocols.empty()) return true;
  return false;
}

bool wants_transport_protocol(const CompiledListener& listener) {
  if (!listener.config->sniff_tls) return false;
  for (const CompiledChain& chain : listener.chains)
    if (!chain.config->match.transport_protocol.empty()) return true;
  return false;
}

}  // namespace

DownstreamConnection::DownstreamConnection(Worker& worker, std::unique_ptr<net::Socket> socket,
                                           std::shared_ptr<const CompiledListener> listener)
    : worker_(worker), socket_(std::move(socket)), listener_(std::move(listener)), seen_(worker.snapshot()) {
  info_.id = worker_.add_connection(*this);
  info_.peer = socket_->peer_address();
  info_.local = socket_->local_address();
  info_.transport_protocol = "raw_buffer";
}

DownstreamConnection::~DownstreamConnection() { worker_.remove_connection(info_.id); }

/// Where the client meant to go decides which listener it belongs to and which chain of it.
void DownstreamConnection::restore_destination() {
  const ListenerConfig& config = *listener_->config;
  if (!config.use_original_destination && !config.original_destination_filter) return;
  const net::Address accepted_at = info_.local;
  const net::Address wanted = socket_->original_destination();
  if (wanted.is_ip() && wanted != accepted_at) {
    info_.local = wanted;
    info_.local_restored = true;
  }
  to_itself_ = leads_to_itself(accepted_at);
  if (to_itself_) ++worker_.listener_counters(config.name).downstream_cx_to_itself;
  if (!info_.local_restored) return;
  if (!config.use_original_destination) return;
  if (auto better = worker_.snapshot()->listener_for(wanted);
      better && better->config->address.port() != config.address.port())
    listener_ = std::move(better);
}

/// Whether the destination is a port of this very machine on which we capture: nobody means to go there.
bool DownstreamConnection::leads_to_itself(const net::Address& accepted_at) const {
  const bool ours = info_.local.is_loopback() || info_.local.with_port(0) == accepted_at.with_port(0);
  if (!ours) return false;
  for (const auto& [name, listener] : worker_.snapshot()->listeners) {
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
  const bool readable = wants_application_protocol(*listener_) || wants_transport_protocol(*listener_);
  if (readable && !co_await sniff()) co_return;
  chain_ = choose_chain(*listener_, {info_.local, info_.transport_protocol, application_protocol_});
  if (!chain_) {
    ++worker_.listener_counters(listener_->config->name).no_filter_chain_match;
    log_unmatched();
    socket_->close(true);
    co_return;
  }
  if (!listener_->chains.empty() && chain_ >= listener_->chains.data() &&
      chain_ < listener_->chains.data() + listener_->chains.size())
    chain_index_ = chain_ - listener_->chains.data();
  if (chain_->http())
    co_await serve_http();
  else
    co_await serve_tcp(*this, *chain_);
}

/// Looks at the first bytes without taking them. False: the client left, or said nothing for too long.
net::Task<bool> DownstreamConnection::sniff() {
  const TimePoint limit = listener_->config->sniff_timeout.count()
                              ? socket_->loop().now() + listener_->config->sniff_timeout
                              : kNever;
  socket_->set_read_deadline(limit);
  for (;;) {
    const net::IoError waited = co_await socket_->readable();
    if (waited == net::IoError::kTimeout) {
      socket_->unpeek();
      co_return listener_->config->continue_on_sniff_timeout;
    }
    if (waited != net::IoError::kNone) co_return false;
    char bytes[kSniffBytes];
    const net::IoResult got = socket_->peek(bytes);
    if (got.error == net::IoError::kWouldBlock) continue;
    if (!got.ok()) co_return false;
    const Sniffed seen = proxy::sniff({bytes, got.bytes});
    if (seen == Sniffed::kUndecided && got.bytes < sizeof bytes && !socket_->peer_ended()) continue;
    switch (seen) {
      case Sniffed::kHttp10: application_protocol_ = "http/1.0"; break;
      case Sniffed::kHttp11: application_protocol_ = "http/1.1"; break;
      case Sniffed::kHttp2: application_protocol_ = "h2c"; break;
      case Sniffed::kTls: info_.transport_protocol = "tls"; break;
      default: break;
    }
    socket_->unpeek();
    co_return true;
  }
}

net::Task<void> DownstreamConnection::serve_http() {
  HttpService service(*this);
  http_ = &service;
  struct Reset {
    HttpService*& place;
    ~Reset() { place = nullptr; }
  } reset{http_};
  co_await service.run();
}

std::shared_ptr<const CompiledChain> DownstreamConnection::current_chain() {
  if (seen_ == worker_.snapshot()) return {listener_, chain_};
  seen_ = worker_.snapshot();
  const auto found = seen_->listeners.find(listener_->config->name);
  if (found == seen_->listeners.end() || found->second == listener_) return {listener_, chain_};
  const CompiledListener& newer = *found->second;
  const std::string& name = chain_->config->name;
  const CompiledChain* same = nullptr;
  if (!name.empty())
    same = newer.chain_named(name);
  else if (chain_index_ < 0)
    same = newer.default_chain ? &*newer.default_chain : nullptr;
  else if (newer.chains.size() == listener_->chains.size())
    same = &newer.chains[static_cast<std::size_t>(chain_index_)];
  if (!same || static_cast<bool>(same->http()) != static_cast<bool>(chain_->http()))
    return {listener_, chain_};
  chain_ = same;
  listener_ = found->second;
  return {listener_, chain_};
}

void DownstreamConnection::log_unmatched() {
  RequestInfo info;
  info.connection = &info_;
  info.started_at = std::chrono::system_clock::now();
  info.started = info.ended = socket_->loop().now();
  info.flags.set(Flag::kNoRoute);
  info.details = "filter_chain_not_found";
  worker_.logs().write(listener_->logs, info);
}

void DownstreamConnection::drain() {
  if (http_) http_->drain();
}

void DownstreamConnection::take_leave() {
  if (http_) http_->take_leave();
}

void DownstreamConnection::abandon() {
  if (http_) http_->abandon();
}

}  // namespace weft::proxy
