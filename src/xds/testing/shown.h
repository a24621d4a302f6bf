#pragma once

#include <string>

#include "proxy/config.h"

/// What was read, in one line: each member that is not what it is in a struct into which nothing was read,
/// by its name. A row of a table says by it what a field does, and that it does nothing else. Any thread.
namespace weft::xds::testing {

std::string shown(const proxy::StringMatch& match);
std::string shown(const proxy::HeaderMatch& match);
std::string shown(const proxy::PathMatch& path);
std::string shown(const proxy::QueryMatch& match);
std::string shown(const proxy::RouteMatch& match);
std::string shown(const proxy::HeaderChange& change);
std::string shown(const proxy::HeaderChanges& changes);
std::string shown(const proxy::RetryPolicy& policy);
std::string shown(const proxy::WeightedCluster& cluster);
std::string shown(const proxy::GrpcTimeout& timeout);
std::string shown(const proxy::ForwardAction& action);
std::string shown(const proxy::RedirectAction& action);
std::string shown(const proxy::DirectAction& action);
std::string shown(const proxy::Route& route);
std::string shown(const proxy::VirtualHost& host);
std::string shown(const proxy::RouteTable& table);
std::string shown(const proxy::AccessLogConfig& log);
std::string shown(const proxy::HttpConfig& config);
std::string shown(const proxy::TcpProxyConfig& config);
std::string shown(const proxy::FilterChainMatch& match);
std::string shown(const proxy::FilterChain& chain);
std::string shown(const proxy::ListenerConfig& listener);
std::string shown(const proxy::Endpoint& endpoint);
std::string shown(const proxy::Locality& locality);
std::string shown(const proxy::Endpoints& endpoints);
std::string shown(const proxy::ClusterConfig::DnsHost& host);
std::string shown(const proxy::ClusterConfig& cluster);

}  // namespace weft::xds::testing
