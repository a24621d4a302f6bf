#include "proxy/listener/compiled_listener.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "proxy/filters/access_log/access_log_filter.h"
#include "proxy/filters/counters/counters_filter.h"

namespace weft::proxy {
namespace {

Result<CompiledChain> compile_chain(const FilterChain& chain) {
  CompiledChain compiled;
  compiled.config = &chain;
  if (const HttpConfig* http = compiled.http()) {
    WEFT_TRY(compiled.logs, AccessLogs::compile(http->access_logs));
    WEFT_TRY(compiled.filters, HttpFilters::compile(http->filters));
    compiled.observers.push_back(counters_filter());
    if (!compiled.logs.logs().empty()) compiled.observers.push_back(access_log_filter());
    if (http->route_table) {
      WEFT_TRY(compiled.table, RoutingTable::compile(http->route_table));
    }
  } else {
    WEFT_TRY(compiled.logs, AccessLogs::compile(compiled.tcp()->access_logs));
  }
  return compiled;
}

/// Whether the first `length` bits of both are the same.
bool in_prefix(const net::Address& address, const FilterChainMatch::Prefix& prefix) {
  if (address.family() != prefix.address.family()) return false;
  const void *a = nullptr, *b = nullptr;
  std::uint32_t bits = 32;
  if (address.is_v4()) {
    a = &reinterpret_cast<const sockaddr_in*>(address.data())->sin_addr;
    b = &reinterpret_cast<const sockaddr_in*>(prefix.address.data())->sin_addr;
  } else {
    a = &reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_addr;
    b = &reinterpret_cast<const sockaddr_in6*>(prefix.address.data())->sin6_addr;
    bits = 128;
  }
  const std::uint32_t length = std::min(prefix.length, bits);
  if (std::memcmp(a, b, length / 8) != 0) return false;
  const std::uint32_t rest = length % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<unsigned char>(0xff << (8 - rest));
  return ((static_cast<const unsigned char*>(a)[length / 8] ^
           static_cast<const unsigned char*>(b)[length / 8]) &
          mask) == 0;
}

/// How well a chain fits a destination: by port, then by the longest prefix; nullopt when it does not.
std::optional<std::array<int, 2>> fit_destination(const FilterChainMatch& match,
                                                  const net::Address& destination) {
  std::array<int, 2> score{};
  if (match.destination_port) {
    if (*match.destination_port != destination.port()) return std::nullopt;
    score[0] = 1;
  }
  if (!match.destination_prefixes.empty()) {
    int longest = -1;
    for (const auto& prefix : match.destination_prefixes)
      if (in_prefix(destination, prefix)) longest = std::max(longest, static_cast<int>(prefix.length));
    if (longest < 0) return std::nullopt;
    score[1] = longest + 1;
  }
  return score;
}

/// How well a chain fits, compared criterion by criterion; nullopt when it does not.
std::optional<std::array<int, 4>> fit(const FilterChainMatch& match, const ChainInput& input) {
  const auto destination = fit_destination(match, input.destination);
  if (!destination) return std::nullopt;
  std::array<int, 4> score{(*destination)[0], (*destination)[1], 0, 0};
  if (!match.server_names.empty())
    return std::nullopt;  // server names are only known of TLS, which is not read yet
  if (!match.transport_protocol.empty()) {
    if (match.transport_protocol != input.transport_protocol) return std::nullopt;
    score[2] = 1;
  }
  if (!match.application_protocols.empty()) {
    const auto& protocols = match.application_protocols;
    if (std::find(protocols.begin(), protocols.end(), input.application_protocol) == protocols.end())
      return std::nullopt;
    score[3] = 1;
  }
  return score;
}

bool same_match(const FilterChainMatch& a, const FilterChainMatch& b) {
  const auto same_prefix = [](const auto& one, const auto& other) {
    return one.address == other.address && one.length == other.length;
  };
  return a.destination_port == b.destination_port &&
         std::ranges::equal(a.destination_prefixes, b.destination_prefixes, same_prefix) &&
         a.server_names == b.server_names && a.transport_protocol == b.transport_protocol &&
         a.application_protocols == b.application_protocols;
}

bool covers(const std::vector<PortRange>& ranges, std::uint16_t port) {
  return std::ranges::any_of(
      ranges, [port](const PortRange& range) { return range.first <= port && port <= range.last; });
}

}  // namespace

Result<std::shared_ptr<const CompiledListener>> CompiledListener::compile(
    std::shared_ptr<const ListenerConfig> source) {
  auto compiled = std::make_shared<CompiledListener>();
  compiled->config = std::move(source);
  const auto in_context = [&](Error error) {
    return fail(std::move(error).with_context("listener '" + compiled->config->name + "'"));
  };
  for (const FilterChain& chain : compiled->config->chains) {
    auto made = compile_chain(chain);
    if (!made) return in_context(std::move(made).error());
    compiled->chains.push_back(std::move(*made));
  }
  if (compiled->config->default_chain) {
    auto made = compile_chain(*compiled->config->default_chain);
    if (!made) return in_context(std::move(made).error());
    compiled->default_chain = std::move(*made);
  }
  auto logs = AccessLogs::compile(compiled->config->access_logs);
  if (!logs) return in_context(std::move(logs).error());
  compiled->logs = std::move(*logs);
  return std::shared_ptr<const CompiledListener>(std::move(compiled));
}

const CompiledChain* CompiledListener::successor_of(const CompiledListener& before,
                                                    const CompiledChain& chain) const {
  const FilterChain& wanted = *chain.config;
  const bool named = !wanted.name.empty();
  const bool was_default = before.default_chain && &*before.default_chain == &chain;
  const auto fits = [&](const CompiledChain& each) {
    return named ? each.config->name == wanted.name
                 : !was_default && same_match(each.config->match, wanted.match);
  };
  const auto among = std::ranges::find_if(chains, fits);
  const CompiledChain* found = among == chains.end() ? nullptr : &*among;
  if (!found && default_chain && (named ? fits(*default_chain) : was_default)) found = &*default_chain;
  const bool same_protocol = found && !found->http() == !chain.http();
  return same_protocol ? found : nullptr;
}

const CompiledChain* choose_chain(const CompiledListener& listener, const ChainInput& input) {
  const CompiledChain* best = nullptr;
  std::array<int, 4> best_fit{};
  const bool port_is_named = std::ranges::any_of(listener.chains, [&](const CompiledChain& chain) {
    return chain.config->match.destination_port == input.destination.port();
  });
  for (const CompiledChain& chain : listener.chains) {
    if (port_is_named && !chain.config->match.destination_port) continue;
    const auto score = fit(chain.config->match, input);
    if (score && (!best || *score > best_fit)) {
      best = &chain;
      best_fit = *score;
    }
  }
  if (!best && listener.default_chain) best = &*listener.default_chain;
  return best;
}

Sniffing sniffing_for(const CompiledListener& listener, const net::Address& destination) {
  const ListenerConfig& config = *listener.config;
  if (!config.sniff_http && !config.sniff_tls) return {};
  Sniffing wanted;
  std::array<int, 2> best{};
  for (const CompiledChain& chain : listener.chains) {
    const FilterChainMatch& match = chain.config->match;
    const auto score = fit_destination(match, destination);
    if (!score || *score < best) continue;
    if (*score > best) wanted = {};
    best = *score;
    wanted.http = wanted.http || !match.application_protocols.empty();
    wanted.tls = wanted.tls || !match.transport_protocol.empty();
  }
  const std::uint16_t port = destination.is_ip() ? destination.port() : 0;
  wanted.http = wanted.http && config.sniff_http && !covers(config.sniff_http_off, port);
  wanted.tls = wanted.tls && config.sniff_tls && !covers(config.sniff_tls_off, port);
  return wanted;
}

Result<std::shared_ptr<const CompiledSnapshot>> CompiledSnapshot::compile(SnapshotPtr source,
                                                                          const CompiledSnapshot* previous) {
  auto compiled = std::make_shared<CompiledSnapshot>();
  compiled->source = std::move(source);
  for (const auto& [name, listener] : compiled->source->listeners) {
    const auto old = previous ? previous->listeners.find(name) : decltype(previous->listeners.end()){};
    if (previous && old != previous->listeners.end() && old->second->config == listener) {
      compiled->listeners[name] = old->second;
      continue;
    }
    WEFT_TRY(compiled->listeners[name], CompiledListener::compile(listener));
  }
  for (const auto& [name, table] : compiled->source->route_tables) {
    const auto old = previous ? previous->tables.find(name) : decltype(previous->tables.end()){};
    const bool known = previous && old != previous->tables.end();
    if (known && &old->second->source() == table.get()) {
      compiled->tables[name] = old->second;
      continue;
    }
    WEFT_TRY(compiled->tables[name], RoutingTable::compile(table, known ? old->second.get() : nullptr));
  }
  compiled->clusters = previous ? previous->clusters.changed_to(*compiled->source)
                                : CompiledClusters().changed_to(*compiled->source);
  return std::shared_ptr<const CompiledSnapshot>(std::move(compiled));
}

std::shared_ptr<const CompiledListener> CompiledSnapshot::listener_for(
    const net::Address& destination) const {
  std::shared_ptr<const CompiledListener> any;
  for (const auto& [name, listener] : listeners) {
    const net::Address& address = listener->config->address;
    if (!address.is_ip() || address.port() != destination.port()) continue;
    if (address == destination) return listener;
    if (address.is_any()) any = listener;
  }
  return any;
}

std::shared_ptr<const RoutingTable> CompiledSnapshot::routes_of(const CompiledChain& chain) const {
  if (chain.table) return chain.table;
  const auto found = tables.find(chain.http()->route_table_name);
  return found == tables.end() ? nullptr : found->second;
}

}  // namespace weft::proxy
