#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "control/ads/push.h"
#include "control/ads/session.h"
#include "xds/proto/discovery.pb.h"

/// A session and a proxy that a test plays. Heavy header: tests only.
namespace weft::control::testing {

inline ResourcePtr resource(std::string name, std::string bytes, std::vector<std::string> needs = {}) {
  return std::make_shared<const Resource>(Resource{std::move(name), std::move(bytes), std::move(needs)});
}

/// As it arrives, by either protocol.
struct Response {
  envoy::service::discovery::v3::DiscoveryResponse message;
  bool delta = false;
  std::vector<std::string> removed = {};

  const std::string& type_url() const { return message.type_url(); }
  const std::string& nonce() const { return message.nonce(); }
  int resources_size() const { return message.resources_size(); }
  const auto& resources() const { return message.resources(); }
  const auto& resources(int i) const { return message.resources(i); }
};

inline Response to_response(const Push& push) {
  const EncodedPush encoded = PushEncoder().encode(push);
  const std::string bytes = encoded.own + *encoded.resources;
  Response response;
  if (push.protocol == AdsProtocol::kStateOfTheWorld) {
    EXPECT_TRUE(response.message.ParseFromString(bytes));
    return response;
  }
  envoy::service::discovery::v3::DeltaDiscoveryResponse changes;
  EXPECT_TRUE(changes.ParseFromString(bytes));
  response.delta = true;
  response.message.set_type_url(changes.type_url());
  response.message.set_nonce(changes.nonce());
  for (const auto& each : changes.resources()) *response.message.add_resources() = each.resource();
  response.removed.assign(changes.removed_resources().begin(), changes.removed_resources().end());
  return response;
}

/// One listener with one route table that points to `cluster`; clusters as given, each with its endpoints.
inline ResourceSetPtr set_of(const std::string& route_to, std::initializer_list<const char*> clusters,
                             const std::string& cluster_form = "c") {
  ResourceLists lists;
  for (const char* name : clusters) {
    add(lists, Type::kCluster, {name, cluster_form + name, {name}});
    add(lists, Type::kEndpoint, {name, std::string("e") + name});
  }
  add(lists, Type::kListener, {"l", "l", {"table"}});
  add(lists, Type::kRoute, {"table", "to " + route_to});
  return std::make_shared<const ResourceSet>(to_set(std::move(lists)));
}

/// A proxy that behaves like Envoy: it asks for endpoints and routes when it learns of them, and checks at
/// every moment that its routes have their cluster and its clusters their endpoints.
class ScriptedProxy {
 public:
  explicit ScriptedProxy(Session& session) : session_(session) {}

  void connect() { ask(Type::kCluster, ""); }

  /// Takes one response and says yes, or no with the reason.
  void take(const Response& response, const std::string& rejection = {}) {
    answer(response, rejection);
    if (rejection.empty()) follow_up(type_named(response.type_url()));
    check();
  }

  /// The same, and it has not come to asking for what belongs to it yet.
  void answer(const Response& response, const std::string& rejection = {}) {
    Type type = type_named(response.type_url());
    const bool list = response.delta && (type == Type::kCluster || type == Type::kListener);
    const std::size_t size =
        list ? with(sets_[type], response).size() : static_cast<std::size_t>(response.resources_size());
    log.push_back(std::string(short_name(type)) + " " + std::to_string(size));
    nonce_[type] = response.nonce();
    if (rejection.empty()) store(type, response);
    say(type, response.nonce(), rejection, false);
  }

  /// Takes all clusters but one, as proxies do, and complains of that.
  void take_all_but(const std::string& bad, const Response& response) {
    nonce_[Type::kCluster] = response.nonce();
    store(Type::kCluster, response);
    sets_[Type::kCluster].erase(bad);
    clusters.erase(bad);
    complain(Type::kCluster, "CDS '" + bad + "': no");
    follow_up(Type::kCluster);
    check();
  }

  void ask(Type type, const std::string& nonce) { say(type, nonce, {}, true); }

  /// Says no to the last response of that type, whatever was said of it before.
  void complain(Type type, const std::string& reason) { say(type, nonce_[type], reason, false); }

  const std::string& nonce(Type type) { return nonce_[type]; }
  std::vector<std::string> log;
  std::set<std::string> clusters, endpoints;
  std::string route;

 private:
  static Type type_named(const std::string& url) {
    for (Type type : kAllTypes)
      if (type_url(type) == url) return type;
    ADD_FAILURE() << url;
    return Type::kCluster;
  }

  /// `asks`: for its names, once more if they are those of before.
  void say(Type type, const std::string& nonce, const std::string& rejection, bool asks) {
    if (session_.protocol() == AdsProtocol::kStateOfTheWorld) {
      Session::Request request;
      for (const auto& name : names_[type]) request.add_resource_names(name);
      return finish(request, type, nonce, rejection);
    }
    Session::DeltaRequest request;
    std::set<std::string>& asked = asked_[type];
    const bool again = asks && asked == names_[type];
    for (const auto& name : names_[type])
      if (again || !asked.contains(name)) request.add_resource_names_subscribe(name);
    for (const auto& name : asked)
      if (!names_[type].contains(name)) request.add_resource_names_unsubscribe(name);
    asked = names_[type];
    finish(request, type, asks ? "" : nonce, rejection);
  }

  template <class Request>
  void finish(Request& request, Type type, const std::string& nonce, const std::string& rejection) {
    request.set_type_url(std::string(type_url(type)));
    request.set_response_nonce(nonce);
    if (!rejection.empty()) request.mutable_error_detail()->set_message(rejection);
    session_.on_request(request);
  }

  /// The names of a complete type after a response.
  static std::set<std::string> with(std::set<std::string> names, const Response& response) {
    if (!response.delta) names.clear();
    for (const auto& any : response.resources()) {
      const bool cluster = response.type_url() == type_url(Type::kCluster);
      names.insert(cluster ? any.value().substr(1) : any.value());
    }
    for (const std::string& name : response.removed) names.erase(name);
    return names;
  }

  void store(Type type, const Response& response) {
    if (type == Type::kCluster || type == Type::kListener) sets_[type] = with(sets_[type], response);
    clusters = sets_[Type::kCluster];
    for (const auto& any : response.resources()) {
      if (type == Type::kEndpoint) endpoints.insert(any.value().substr(1));
      if (type == Type::kRoute) route = any.value().substr(3);
    }
  }

  void follow_up(Type type) {
    if (type == Type::kCluster && names_[Type::kEndpoint] != clusters) {
      names_[Type::kEndpoint] = clusters;
      ask(Type::kEndpoint, nonce_[Type::kEndpoint]);
    }
    if (type == Type::kEndpoint && !nonce_.contains(Type::kListener)) ask(Type::kListener, "");
    if (type == Type::kListener && names_[Type::kRoute].empty()) {
      names_[Type::kRoute] = {"table"};
      ask(Type::kRoute, "");
    }
  }

  void check() {
    if (route.empty()) return;
    EXPECT_TRUE(clusters.contains(route)) << "a route without its cluster: " << route;
    EXPECT_TRUE(endpoints.contains(route)) << "a cluster without its endpoints: " << route;
  }

  Session& session_;
  std::map<Type, std::string> nonce_;
  std::map<Type, std::set<std::string>> names_, asked_, sets_;
};

class SessionBase {
 public:
  explicit SessionBase(AdsProtocol protocol)
      : session([this](const Push& push) { wire.push_back(to_response(push)); }, protocol), proxy(session) {}

  void deliver() {
    while (!wire.empty()) take_one();
  }
  void take_one(const std::string& rejection = {}) {
    Response response = wire.front();
    wire.pop_front();
    proxy.take(response, rejection);
  }
  void only_acknowledge_one() {
    Response response = wire.front();
    wire.pop_front();
    proxy.answer(response);
  }
  void deliver_with_rejected(Type type, const std::string& reason) {
    while (!wire.empty()) take_one(wire.front().type_url() == type_url(type) ? reason : "");
  }
  void begin(ResourceSetPtr set) {
    session.offer(std::move(set), 1);
    proxy.connect();
    deliver();
    ASSERT_EQ(session.running(), 1u);
    proxy.log.clear();
  }
  using Log = std::vector<std::string>;

  std::deque<Response> wire;
  Session session;
  ScriptedProxy proxy;
};

}  // namespace weft::control::testing
