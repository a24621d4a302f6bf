#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/random.h"
#include "net/loop.h"
#include "proxy/listener/compiled_listener.h"
#include "proxy/listener/connection_list.h"
#include "proxy/log/access_log.h"
#include "proxy/server.h"
#include "proxy/stats/counters.h"
#include "proxy/upstream/cluster_set.h"

namespace weft::proxy {

/// Whether connections are to end.
struct DrainState {
  bool draining = false;                  ///< every one, as soon as it has no request
  std::optional<DrainScope> drain_scope;  ///< those of these listeners, each with its next response

  bool drains(const ListenerConfig& listener) const {
    return drain_scope && (*drain_scope == DrainScope::kAll || listener.direction == Direction::kInbound);
  }
};

/// What connections and requests count in. Entries stay where they are.
struct WorkerCounters {
  std::map<std::string, HttpCounters> http;           ///< by the stat_prefix of a connection manager
  std::map<std::string, TcpCounters> tcp;             ///< by the stat_prefix of a TCP proxy
  std::map<std::string, ListenerCounters> listeners;  ///< by name
};

/// What a connection and its requests use of the thread that serves them. They know these facts and not the
/// worker, so that each of them can be tested with a few of its own.
///
/// Owner: the worker; each part outlives its connections. Thread: the loop's.
struct WorkerFacts {
  net::Loop& loop;
  Random& random;
  LogWriter& logs;
  const ProcessLimits& limits;
  const CompiledSnapshotPtr&
      snapshot;  ///< the one that new connections and requests go by; another one after each change
  ClusterSet& clusters;
  WorkerCounters& counters;
  ConnectionList& connections;
  const DrainState& drain;
};

}  // namespace weft::proxy
