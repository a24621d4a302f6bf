#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/control_plane.h"
#include "control/identity/registrations.h"
#include "control/testing/fake_stream.h"
#include "control/testing/memory_store.h"
#include "control/testing/objects.h"
#include "xds/proto/discovery.pb.h"
#include "xds/proto/route.pb.h"

namespace weft::control::testing {

inline constexpr int kProductpage = 5000001;  // no process has such a number
inline constexpr int kReviews = 5000002;

/// A proxy at the other end of a stream: accepts everything it is sent, or keeps silent, or rejects.
class Proxy {
 public:
  Proxy(net::Loop& loop, ControlPlane& plane, int pid, std::string node)
      : stream(loop), node_(std::move(node)) {
    http::grpc::Call call{AdsServer::kPath, net::Socket::Credentials{pid, 0, 0}, {}, stream};
    tasks_.spawn(plane.serve_proxy(call));
    ask(Type::kCluster);
  }

  /// Handles what has come; true when there was something.
  bool turn() {
    if (stream.outgoing.empty() || silent) return false;
    envoy::service::discovery::v3::DiscoveryResponse response;
    EXPECT_TRUE(response.ParseFromString(stream.outgoing.front()));
    stream.outgoing.pop_front();
    for (Type type : kAllTypes)
      if (response.type_url() == type_url(type)) take(type, response);
    return true;
  }

  std::string route_text;  ///< of table 9080
  std::size_t responses = 0;
  bool silent = false;
  std::string reject;
  FakeStream stream;

 private:
  void take(Type type, const envoy::service::discovery::v3::DiscoveryResponse& response) {
    ++responses;
    nonces_[index_of(type)] = response.nonce();
    for (const auto& any : response.resources()) {
      if (type == Type::kCluster) note_name(any.value(), names_[index_of(Type::kEndpoint)]);
      if (type == Type::kRoute) note_route(any.value());
    }
    ask(type, reject);
    if (type == Type::kCluster) ask(Type::kEndpoint);
    if (type == Type::kEndpoint && nonces_[index_of(Type::kListener)].empty()) ask(Type::kListener);
    if (type == Type::kListener) {
      names_[index_of(Type::kRoute)] = {"9080"};
      ask(Type::kRoute);
    }
  }

  /// A cluster's name is its first field.
  static void note_name(const std::string& bytes, std::set<std::string>& into) {
    std::string name = bytes.substr(2, static_cast<unsigned char>(bytes[1]));
    if (name.starts_with("outbound|")) into.insert(name);
  }
  void note_route(const std::string& bytes) {
    envoy::config::route::v3::RouteConfiguration table;
    EXPECT_TRUE(table.ParseFromString(bytes));
    if (table.name() == "9080") route_text = table.ShortDebugString();
  }

  void ask(Type type, const std::string& error = {}) {
    Session::Request request;
    request.mutable_node()->set_id(node_);
    request.set_type_url(std::string(type_url(type)));
    request.set_response_nonce(nonces_[index_of(type)]);
    for (const auto& name : names_[index_of(type)]) request.add_resource_names(name);
    if (!error.empty()) request.mutable_error_detail()->set_message(error);
    stream.send(request.SerializeAsString());
  }

  std::string node_;
  std::array<std::string, kTypes> nonces_;
  std::array<std::set<std::string>, kTypes> names_;
  net::TaskScope tasks_;
};

class ControlPlaneTest : public ::testing::Test {
 protected:
  explicit ControlPlaneTest(Duration quiet = 0ms) : loop(net::Loop::simulated()), store(*loop) {
    auto registrations = std::make_unique<Registrations>();
    registered = registrations.get();
    ControlPlaneOptions options;
    options.cpu_time = [this] { return cpu_time += cpu_step; };
    options.quiet = quiet;
    plane = std::make_unique<ControlPlane>(*loop, store, std::move(registrations), std::move(options));
    for (const auto& object : objects_of_file("bookinfo.yaml")) store.put(*object);
    plane->start();
    run();
  }

  void register_sidecar(int pid) {
    if (pid == kProductpage) registered->take_line("add 5000001 0 default productpage-v1-a bookinfo");
    if (pid == kReviews) registered->take_line("add 5000002 0 default reviews-v1-a bookinfo");
  }

  Proxy& connect(int pid, const std::string& pod) {
    register_sidecar(pid);
    proxies.push_back(std::make_unique<Proxy>(*loop, *plane, pid, "sidecar~10.0.0.1~" + pod + ".default~x"));
    run();
    return *proxies.back();
  }

  void run() {
    for (bool more = true; more;) {
      loop->advance(0ms);
      more = false;
      for (auto& proxy : proxies) more |= proxy->turn();
    }
  }

  Proxy& connect_with_rule() {
    Proxy& proxy = connect(kProductpage, "productpage-v1-a");
    put_subsets("13");
    put_rule("v1");
    run();
    return proxy;
  }
  /// Once the control plane has looked at its store again.
  void settle() {
    run();
    loop->advance(2ms);
    run();
  }

  std::uint64_t put(std::string_view yaml) {
    std::uint64_t version = 0;
    for (const auto& object : objects(yaml)) version = store.put(*object);
    return version;
  }
  std::uint64_t put_rule(const std::string& subset) {
    return put(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: reviews, namespace: "
        "default}\n"
        "spec: {hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: " +
        subset + "}}]}]}\n");
  }
  std::uint64_t put_subsets(const std::string& names) {
    std::string subsets;
    for (char version : names)
      subsets += std::string(subsets.empty() ? "" : ", ") + "{name: v" + version + ", labels: {version: v" +
                 version + "}}";
    return put(
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: reviews, namespace: "
        "default}\n"
        "spec: {host: reviews, subsets: [" +
        subsets + "]}\n");
  }

  /// Starts to wait; the response is there when it is over.
  struct Wait {
    std::optional<api::Json> answer;
    net::TaskScope tasks;
  };
  net::Task<void> wait_into(Wait& wait, std::uint64_t version, TimePoint deadline, std::uint64_t since) {
    api::Json answer = co_await plane->wait_applied(version, deadline, since);
    wait.answer = std::move(answer);
  }
  std::unique_ptr<Wait> wait_applied(std::uint64_t version, Duration timeout = 5s, std::uint64_t since = 0) {
    auto wait = std::make_unique<Wait>();
    wait->tasks.spawn(wait_into(*wait, version, loop->now() + timeout, since));
    return wait;
  }

  std::unique_ptr<net::Loop> loop;
  Duration cpu_time{}, cpu_step{};  ///< at each look; none, for simulated time waits for no slow machine
  MemoryStore store;
  Registrations* registered = nullptr;
  std::unique_ptr<ControlPlane> plane;
  std::vector<std::unique_ptr<Proxy>> proxies;
};

}  // namespace weft::control::testing
