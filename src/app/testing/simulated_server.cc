#include "app/testing/simulated_server.h"

#include <algorithm>

namespace weft::app::testing {

SimulatedServer::SimulatedServer(net::Loop& loop, proxy::Worker::Options options)
    : loop_(loop), worker_(loop, std::move(options)) {}

SimulatedServer::~SimulatedServer() {
  tasks_.cancel_all();
  worker_.end_everything();
}

void SimulatedServer::apply(proxy::SnapshotPtr snapshot, std::function<void(Result<void>)> done) {
  tasks_.spawn(change(std::move(snapshot), std::move(done)));
}

net::Task<void> SimulatedServer::change(proxy::SnapshotPtr snapshot, std::function<void(Result<void>)> done) {
  co_await loop_.sleep(takes ? takes() : Duration::zero());
  Result<void> applied = apply_snapshot(*snapshot);
  snapshot.reset();
  done(std::move(applied));
}

Result<void> SimulatedServer::apply_snapshot(const proxy::Snapshot& snapshot) {
  if (check) WEFT_CHECK(check(snapshot));
  auto silent = std::make_shared<proxy::Snapshot>(snapshot);
  std::erase_if(silent_, [&](const auto& entry) { return !snapshot.listeners.contains(entry.first); });
  for (auto& [name, listener] : silent->listeners) listener = without_logs(listener);
  made_.push_back(silent);
  WEFT_TRY(current_, proxy::CompiledSnapshot::compile(std::move(silent), current_.get()));
  worker_.apply(current_, {});
  return {};
}

/// Lines for each request would be all that a test prints.
std::shared_ptr<const proxy::ListenerConfig> SimulatedServer::without_logs(
    const std::shared_ptr<const proxy::ListenerConfig>& listener) {
  auto& [source, made] = silent_[listener->name];
  if (source == listener) return made;
  source = listener;
  auto copy = std::make_shared<proxy::ListenerConfig>(*listener);
  copy->access_logs.clear();
  const auto clear = [](proxy::FilterChain& chain) {
    std::visit([](auto& filter) { filter.access_logs.clear(); }, chain.filter);
  };
  std::ranges::for_each(copy->chains, clear);
  if (copy->default_chain) clear(*copy->default_chain);
  made = std::move(copy);
  return made;
}

std::size_t SimulatedServer::snapshots_alive() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(made_, [](const auto& snapshot) { return !snapshot.expired(); }));
}

}  // namespace weft::app::testing
