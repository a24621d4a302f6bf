#include "proxy/upstream/lease.h"

#include "proxy/upstream/upstream_cluster.h"

namespace weft::proxy {

Lease::Lease(UpstreamCluster& cluster, std::shared_ptr<UpstreamConnection> connection)
    : cluster_(&cluster), connection_(std::move(connection)), exchange_(&connection_->http->start()) {
  ++connection_->active;
  ++connection_->endpoint->active_requests;
  ++connection_->endpoint->total_requests;
}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  cluster_ = other.cluster_;
  connection_ = std::move(other.connection_);
  exchange_ = other.exchange_;
  return *this;
}

void Lease::give_back() {
  if (!connection_) return;
  --connection_->active;
  --connection_->endpoint->active_requests;
  connection_->http->finish(*exchange_);
  cluster_->release(std::move(connection_));
}

}  // namespace weft::proxy
