#include "control/control_plane.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "control/json.h"
#include "control/testing/control_plane_fixture.h"

namespace weft::control {
namespace {

using namespace testing;

/// A call whose peer takes nothing.
class StuckStream final : public http::grpc::MessageStream {
 public:
  explicit StuckStream(net::Loop& loop) : inner(loop), never_(loop) {}
  net::Task<Result<std::string>> read() override { return inner.read(); }
  net::Task<Result<void>> write_parts(std::string_view, std::shared_ptr<const std::string>) override {
    for (;;) co_await never_.wait(kNever);
  }
  void finish(int status, std::string_view message) override { inner.finish(status, message); }
  testing::FakeStream inner;

 private:
  net::WaitQueue never_;
};

class ProxyLimits : public ControlPlaneTest {
 protected:
  void serve(std::string_view path) {
    register_sidecar(kReviews);
    http::grpc::Call call{std::string(path), net::Socket::Credentials{kReviews, 0, 0}, {}, stream};
    tasks.spawn(plane->serve_proxy(call));
  }
  template <class Request>
  void say(Type type, Request request, const std::string& nonce) {
    request.mutable_node()->set_id("reviews-v1-a.default");
    request.set_type_url(std::string(type_url(type)));
    request.set_response_nonce(nonce);
    stream.inner.send(request.SerializeAsString());
    run();
  }
  StuckStream stream{*loop};
  net::TaskScope tasks;
};

TEST_F(ProxyLimits, one_that_acknowledges_what_it_has_not_read_is_ended) {
  serve(AdsServer::kPath);
  for (int i = 0; i < 100 && stream.inner.finished_with < 0; ++i) {
    Session::Request request;
    request.add_resource_names(i % 2 ? "9080" : "other " + std::to_string(i));
    // Nonces are numbers, so the next one can be guessed.
    for (int nonce = i; nonce <= i + 3; ++nonce)
      say(Type::kRoute, request, i == 0 ? "" : std::to_string(nonce));
  }
  EXPECT_EQ(stream.inner.finished_with, http::grpc::kResourceExhausted);
}

TEST_F(ProxyLimits, names_that_come_one_by_one_have_a_limit_of_bytes_together) {
  serve(AdsServer::kDeltaPath);
  for (int i = 0; i < 5 && stream.inner.finished_with < 0; ++i) {
    Session::DeltaRequest request;
    request.add_resource_names_subscribe(std::string(1024 * 1024, static_cast<char>('a' + i)));
    say(Type::kEndpoint, request, "");
  }
  EXPECT_EQ(stream.inner.finished_with, http::grpc::kResourceExhausted);
}

TEST_F(ProxyLimits,
       a_proxy_that_has_twenty_thousand_clusters_of_before_and_asks_for_their_endpoints_is_served) {
  serve(AdsServer::kDeltaPath);
  Session::DeltaRequest clusters, endpoints;
  for (int i = 0; i < 20'000; ++i) {
    const std::string name = "outbound|9080||service-" + std::to_string(i) + ".default.svc.cluster.local";
    (*clusters.mutable_initial_resource_versions())[name] = "";
    endpoints.add_resource_names_subscribe(name);
  }
  say(Type::kCluster, clusters, "");
  say(Type::kEndpoint, endpoints, "");
  EXPECT_LT(stream.inner.finished_with, 0);
}

/// 40,000 names are more than the limit of bytes.
TEST_F(ProxyLimits, a_proxy_may_give_up_or_have_of_before_more_names_than_it_may_ask_for) {
  serve(AdsServer::kDeltaPath);
  Session::DeltaRequest clusters, endpoints;
  for (int i = 0; i < 40'000; ++i) {
    const std::string name = "outbound|9080||service-" + std::to_string(i) + ".default.svc.cluster.local";
    (*clusters.mutable_initial_resource_versions())[name] = "";
    endpoints.add_resource_names_unsubscribe(name);
  }
  say(Type::kCluster, clusters, "");
  say(Type::kEndpoint, endpoints, "");
  EXPECT_LT(stream.inner.finished_with, 0);
}

TEST_F(ControlPlaneTest,
       a_registered_sidecar_gets_its_configuration_and_an_unregistered_process_is_turned_away) {
  Proxy& known = connect(kProductpage, "productpage-v1-a");
  EXPECT_NE(known.route_text.find("reviews.default.svc.cluster.local"), std::string::npos);
  Proxy& stranger = connect(5000009, "productpage-v1-a");
  EXPECT_EQ(stranger.stream.finished_with, http::grpc::kPermissionDenied);
  EXPECT_EQ(stranger.responses, 0u);
}

TEST_F(ControlPlaneTest, a_sidecar_that_claims_another_pod_is_turned_away) {
  Proxy& liar = connect(kProductpage, "reviews-v1-a");
  EXPECT_EQ(liar.stream.finished_with, http::grpc::kPermissionDenied);
  EXPECT_EQ(liar.responses, 0u);
}

TEST_F(ControlPlaneTest, applied_answers_when_every_proxy_has_accepted_the_change_and_not_before) {
  Proxy& proxy = connect(kProductpage, "productpage-v1-a");
  put_subsets("13");
  run();
  proxy.silent = true;
  auto wait = wait_applied(put_rule("v3"));
  run();
  EXPECT_FALSE(wait->answer);
  proxy.silent = false;
  run();
  loop->advance(2ms);
  ASSERT_TRUE(wait->answer);
  EXPECT_TRUE((*wait->answer)["applied"].get<bool>()) << wait->answer->dump();
  EXPECT_NE(proxy.route_text.find("outbound|9080|v3|reviews"), std::string::npos);
}

TEST_F(ControlPlaneTest, a_sidecar_that_runs_and_has_not_connected_is_waited_for_until_it_has_the_change) {
  register_sidecar(kProductpage);
  auto wait = wait_applied(put_rule("v3"));
  run();
  EXPECT_FALSE(wait->answer);
  connect(kProductpage, "productpage-v1-a");
  loop->advance(1s);
  run();
  ASSERT_TRUE(wait->answer);
  EXPECT_TRUE((*wait->answer)["applied"].get<bool>()) << wait->answer->dump();
}

TEST_F(ControlPlaneTest, a_sidecar_that_ends_before_it_has_connected_is_missed_no_more) {
  register_sidecar(kProductpage);
  auto wait = wait_applied(put_rule("v3"));
  run();
  EXPECT_FALSE(wait->answer);
  registered->take_line("remove 5000001");
  loop->advance(1s);
  run();
  ASSERT_TRUE(wait->answer);
  EXPECT_TRUE((*wait->answer)["applied"].get<bool>()) << wait->answer->dump();
}

TEST_F(ControlPlaneTest, a_change_that_concerns_no_proxy_is_applied_at_once_even_while_one_is_silent) {
  Proxy& proxy = connect(kProductpage, "productpage-v1-a");
  proxy.silent = true;
  std::size_t before = proxy.responses;
  auto wait =
      wait_applied(put("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: x, namespace: default}\n"));
  loop->advance(5ms);
  ASSERT_TRUE(wait->answer);
  EXPECT_TRUE((*wait->answer)["applied"].get<bool>());
  EXPECT_EQ(proxy.responses, before);
}

constexpr std::string_view kDeployment =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x, namespace: default}\n"
    "spec: {selector: {matchLabels: {app: x}}, template: {metadata: {labels: {app: x}}, spec: {containers: "
    "[{name: "
    "x, image: x}]}}}\n";

TEST_F(ControlPlaneTest, what_a_controller_cannot_write_is_not_applied_and_stops_no_later_change) {
  store.on_create = [](const api::Object& object) -> std::optional<Error> {
    if (object.kind->kind != "ReplicaSet") return std::nullopt;
    return Error::config(Code::kInvalid, "metadata.name is too long");
  };
  auto wait = wait_applied(put(kDeployment));
  loop->advance(10ms);
  ASSERT_TRUE(wait->answer);
  EXPECT_EQ((*wait->answer)["applied"], false);
  EXPECT_NE((*wait->answer)["message"].get<std::string>().find("metadata.name is too long"),
            std::string::npos);
  loop->advance(3s);
  auto later =
      wait_applied(put("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: x, namespace: default}\n"));
  loop->advance(5ms);
  ASSERT_TRUE(later->answer);
  EXPECT_EQ((*later->answer)["applied"], true);
}

TEST_F(ControlPlaneTest, what_failed_for_an_earlier_object_of_the_same_file_is_not_applied) {
  store.on_create = [](const api::Object& object) -> std::optional<Error> {
    if (object.kind->kind != "ReplicaSet") return std::nullopt;
    return Error::config(Code::kInvalid, "metadata.name is too long");
  };
  const std::uint64_t first = put(kDeployment);
  loop->advance(10ms);
  const std::uint64_t last =
      put("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: x, namespace: default}\n");
  auto wait = wait_applied(last, 5s, first);
  loop->advance(10ms);
  ASSERT_TRUE(wait->answer);
  EXPECT_EQ((*wait->answer)["applied"], false) << wait->answer->dump();
}

TEST_F(ControlPlaneTest, what_could_not_be_written_at_first_is_waited_for) {
  bool full = true;
  store.on_create = [&](const api::Object& object) -> std::optional<Error> {
    if (!full || object.kind->kind != "ReplicaSet") return std::nullopt;
    return Error::internal(Code::kExhausted, "no space left on device");
  };
  auto wait = wait_applied(put(kDeployment), 5s);
  loop->advance(1s);
  EXPECT_FALSE(wait->answer);
  full = false;
  loop->advance(2s);
  ASSERT_TRUE(wait->answer);
  EXPECT_EQ((*wait->answer)["applied"], true);
}

TEST_F(ControlPlaneTest, a_deadline_names_who_is_missing) {
  connect(kReviews, "reviews-v1-a");
  Proxy& proxy = connect(kProductpage, "productpage-v1-a");
  put_subsets("13");
  run();
  proxy.silent = true;
  auto wait = wait_applied(put_rule("v3"), 3s);
  run();
  loop->advance(2999ms);
  EXPECT_FALSE(wait->answer);
  loop->advance(10ms);
  ASSERT_TRUE(wait->answer);
  EXPECT_FALSE((*wait->answer)["applied"].get<bool>());
  ASSERT_EQ((*wait->answer)["missing"].size(), 1u);
  EXPECT_EQ((*wait->answer)["missing"][0]["proxy"], "productpage-v1-a.default");
}

class GatheringTest : public ControlPlaneTest {
 protected:
  GatheringTest() : ControlPlaneTest(10ms) {
    loop->advance(1s);
    run();
  }
  std::uint64_t pushes() const { return plane->ads().generation(); }
};

TEST_F(GatheringTest,
       a_change_after_a_while_is_pushed_at_once_and_those_behind_it_together_when_it_is_quiet) {
  const std::uint64_t before = pushes();
  put_rule("v1");
  run();
  const std::uint64_t first = pushes();
  EXPECT_NE(first, before);
  for (const char* subset : {"v2", "v3", "v1"}) {
    loop->advance(5ms);
    put_rule(subset);
    run();
    EXPECT_EQ(pushes(), first);
    EXPECT_FALSE(plane->has_pushed_everything());
  }
  loop->advance(9ms);
  EXPECT_EQ(pushes(), first);
  loop->advance(1ms);
  EXPECT_TRUE(plane->has_pushed_everything());
}

TEST_F(GatheringTest, changes_that_never_stop_are_pushed_every_fifty_milliseconds) {
  put_rule("v1");
  run();
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 100; ++i) {
    loop->advance(5ms);
    put_rule(i % 2 ? "v1" : "v3");
    run();
    seen.insert(pushes());
  }
  EXPECT_GE(seen.size(), 8u);
  EXPECT_LE(seen.size(), 11u);
}

TEST_F(GatheringTest,
       changes_wait_for_proxies_that_are_busy_with_what_they_were_sent_but_half_a_second_at_most) {
  Proxy& proxy = connect(kProductpage, "productpage-v1-a");
  loop->advance(1s);
  put_subsets("13");
  loop->advance(1s);
  run();
  for (const bool answers : {true, false}) {
    proxy.silent = true;
    put_rule("v1");
    run();
    const std::uint64_t first = pushes();
    loop->advance(5ms);
    put_rule("v3");
    run();
    loop->advance(490ms);
    EXPECT_EQ(pushes(), first) << "the proxy has not said anything";
    if (answers) {
      proxy.silent = false;
      run();
      EXPECT_EQ(pushes(), first);
    }
    loop->advance(10ms);
    EXPECT_NE(pushes(), first);
    proxy.silent = false;
    run();
    loop->advance(1s);
    run();
  }
}

TEST_F(GatheringTest, a_proxy_that_stands_still_holds_changes_up_once_until_it_goes_on) {
  Proxy& proxy = connect(kProductpage, "productpage-v1-a");
  loop->advance(1s);
  put_subsets("13");
  loop->advance(1s);
  run();
  const auto held_for = [&] {
    put_rule("v1");
    run();
    const std::uint64_t first = pushes();
    loop->advance(5ms);
    put_rule("v3");
    run();
    Duration held{};
    for (; pushes() == first && held < 1s; held += 5ms) loop->advance(5ms);
    loop->advance(1s);
    return held;
  };
  proxy.silent = true;
  EXPECT_GE(held_for(), 490ms);
  EXPECT_LE(held_for(), 50ms);
  EXPECT_LE(held_for(), 50ms);
  proxy.silent = false;
  run();
  loop->advance(1s);
  run();
  proxy.silent = true;
  EXPECT_GE(held_for(), 490ms) << "it had caught up";
}

TEST_F(GatheringTest, a_call_that_waits_for_a_change_has_it_pushed_at_once) {
  Proxy& proxy = connect_with_rule();
  auto wait = wait_applied(put_rule("v3"));
  settle();
  ASSERT_TRUE(wait->answer);
  EXPECT_TRUE((*wait->answer)["applied"].get<bool>()) << wait->answer->dump();
  EXPECT_NE(proxy.route_text.find("outbound|9080|v3|reviews"), std::string::npos);
}

TEST_F(ControlPlaneTest, a_thousand_switches_are_each_applied_and_subsets_come_and_go) {
  Proxy& proxy = connect(kProductpage, "productpage-v1-a");
  for (int i = 0; i < 1000; ++i) {
    std::string want = i % 3 == 0 ? "v1" : i % 3 == 1 ? "v3" : "v2";
    std::uint64_t version = 0;
    if (i % 3 == 0) {
      put_rule("v1");
      version = put_subsets("1");
    } else {
      put_subsets("123");
      version = put_rule(want);
    }
    auto wait = wait_applied(version);
    run();
    loop->advance(1ms);
    run();
    ASSERT_TRUE(wait->answer && (*wait->answer)["applied"].get<bool>()) << i;
    ASSERT_NE(proxy.route_text.find("outbound|9080|" + want + "|reviews"), std::string::npos) << i;
  }
}

TEST_F(ControlPlaneTest, a_service_made_now_has_its_address_and_endpoints_when_applied_answers) {
  auto wait =
      wait_applied(put("apiVersion: v1\nkind: Service\nmetadata: {name: ratings, namespace: default}\n"
                       "spec: {selector: {app: ratings}, ports: [{port: 9080, name: http}]}\n"));
  loop->advance(5ms);
  ASSERT_TRUE(wait->answer);
  for (const auto& service : store.all(kinds::service()))
    EXPECT_FALSE(json::text(service->spec(), "clusterIP").empty()) << service->name();
  auto slices = store.all(kinds::endpoint_slice());
  EXPECT_EQ(std::ranges::count_if(
                slices, [](const auto& s) { return s->label("kubernetes.io/service-name") == "ratings"; }),
            1);
}

TEST_F(ControlPlaneTest, nothing_is_written_when_nothing_changes) {
  loop->advance(10s);
  std::size_t before = store.writes();
  loop->advance(60s);
  EXPECT_EQ(store.writes(), before);
}

TEST_F(ControlPlaneTest,
       a_proxy_whose_process_has_ended_is_waited_for_no_longer_and_a_broken_stream_alone_is_no_excuse) {
  Proxy& proxy = connect(kProductpage, "productpage-v1-a");
  put_subsets("13");
  run();
  proxy.silent = true;
  auto wait = wait_applied(put_rule("v3"));
  run();
  EXPECT_FALSE(wait->answer);
  proxy.stream.end();
  run();
  EXPECT_TRUE(plane->ads().proxies().empty());
  loop->advance(1s);
  EXPECT_FALSE(wait->answer) << "its process runs on with the old rule";
  registered->take_line("remove 5000001");
  loop->advance(1s);
  ASSERT_TRUE(wait->answer);
  EXPECT_TRUE((*wait->answer)["applied"].get<bool>());
}

}  // namespace
}  // namespace weft::control
