#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/loop.h"

namespace weft::proxy {

class DownstreamConnection;

/// The downstream connections of one worker, by their ids. It owns none of them: a connection is in it from
/// its beginning to its end.
///
/// Owner: the worker; it outlives them. Thread: the loop's.
class ConnectionList {
 public:
  explicit ConnectionList(net::Loop& loop) : loop_(loop) {}

  /// Its id: no other connection of this worker ever has the same.
  std::uint64_t add(DownstreamConnection& connection) {
    const std::uint64_t id = next_++;
    connections_[id] = &connection;
    return id;
  }
  void remove(std::uint64_t id) {
    connections_.erase(id);
    if (connections_.empty() && when_empty_) loop_.defer(std::exchange(when_empty_, {}));
  }
  std::size_t size() const { return connections_.size(); }
  /// Calls visit(connection) for each that is there when its turn comes: a visit may end connections.
  template <class Visit>
  void for_each(Visit visit) const {
    std::vector<std::uint64_t> ids;
    ids.reserve(connections_.size());
    for (const auto& [id, connection] : connections_) ids.push_back(id);
    for (const std::uint64_t id : ids)
      if (const auto found = connections_.find(id); found != connections_.end()) visit(*found->second);
  }
  /// Runs once, from the loop, when there is no connection.
  void when_empty(std::function<void()> action) {
    if (connections_.empty())
      loop_.defer(std::move(action));
    else
      when_empty_ = std::move(action);
  }

 private:
  net::Loop& loop_;
  std::unordered_map<std::uint64_t, DownstreamConnection*> connections_;
  std::uint64_t next_ = 1;
  std::function<void()> when_empty_;
};

}  // namespace weft::proxy
