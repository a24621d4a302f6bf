#include <gtest/gtest.h>

#include <algorithm>

#include "control/testing/control_plane_fixture.h"

namespace weft::control {
namespace {

using namespace testing;

TEST_F(ControlPlaneTest,
       a_rejection_is_named_at_once_and_stands_in_receipts_and_status_until_it_is_put_right) {
  Proxy& proxy = connect_with_rule();
  proxy.reject = "the route is no good";
  auto wait = wait_applied(put_rule("v3"));
  settle();
  ASSERT_TRUE(wait->answer);
  EXPECT_EQ((*wait->answer)["rejected"][0]["reason"], "RDS: the route is no good") << wait->answer->dump();
  std::string receipts = plane->receipts().to_json(plane->ads()).dump();
  EXPECT_NE(receipts.find("the route is no good"), std::string::npos) << receipts;
  auto status_of_rule = [&] { return store.all(kinds::virtual_service()).at(0)->status().dump(); };
  EXPECT_NE(status_of_rule().find("the route is no good"), std::string::npos);
  proxy.reject.clear();
  put_rule("v1");
  run();
  EXPECT_EQ(status_of_rule().find("the route is no good"), std::string::npos);
}

TEST_F(ControlPlaneTest,
       apply_receipts_proxies_and_status_say_the_same_of_a_rejected_rule_whatever_is_written) {
  Proxy& proxy = connect_with_rule();
  proxy.reject = "RDS '9080': no good";
  const std::uint64_t bad = put_rule("v3");
  run();
  proxy.reject.clear();
  // The status that tells of it is a write, and so are these; none of them makes it applied.
  for (int i = 0; i < 3; ++i) {
    put("apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: default}\nspec: "
        "{selector: {a: b" +
        std::to_string(i) + "}, servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: ['*']}]}\n");
    run();
    loop->advance(1s);
    run();
    api::Json proxies = Receipts::proxies_json(plane->ads())["proxies"][0];
    EXPECT_NE(proxies["types"]["RDS"]["nacked"], 0u) << proxies.dump();
    EXPECT_LT(proxies["running"].get<std::uint64_t>(), plane->ads().generation());
    for (const api::Json& receipt : plane->receipts().to_json(plane->ads())["receipts"])
      EXPECT_EQ(receipt["rejected"].empty(), receipt["kind"] != "VirtualService") << receipt.dump();
    EXPECT_NE(store.all(kinds::virtual_service()).at(0)->status().dump().find("no good"), std::string::npos);
  }
  EXPECT_GT(bad, 0u);
  auto wait = wait_applied(put_rule("v1"));
  settle();
  ASSERT_TRUE(wait->answer);
  EXPECT_TRUE((*wait->answer)["applied"].get<bool>()) << wait->answer->dump();
  for (const api::Json& receipt : plane->receipts().to_json(plane->ads())["receipts"])
    EXPECT_TRUE(receipt["rejected"].empty()) << receipt.dump();
}

TEST_F(ControlPlaneTest, a_stored_rule_that_no_proxy_accepts_costs_itself_alone_and_its_status_says_so) {
  put("apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: discount, namespace: "
      "default}\n"
      "spec: {hosts: [details], http: [{route: [{destination: {host: details}}], headers: {request: {set: "
      "{x-discount: 100%}}}}]}\n");
  Proxy& proxy = connect(kProductpage, "productpage-v1-a");
  put_subsets("13");
  auto wait = wait_applied(put_rule("v3"));
  run();
  loop->advance(2ms);
  run();
  ASSERT_TRUE(wait->answer);
  EXPECT_TRUE((*wait->answer)["applied"].get<bool>()) << wait->answer->dump();
  EXPECT_NE(proxy.route_text.find("outbound|9080|v3|reviews"), std::string::npos);
  EXPECT_EQ(proxy.route_text.find("100%"), std::string::npos);
  EXPECT_NE(proxy.route_text.find("status: 500"), std::string::npos) << proxy.route_text;
  std::size_t told = 0;
  for (const auto& rule : store.all(kinds::virtual_service()))
    told += rule->status().dump().find("spec.http[0].headers.request.set.x-discount: ") != std::string::npos;
  EXPECT_EQ(told, 1u);
  for (const api::Json& receipt : plane->receipts().to_json(plane->ads())["receipts"])
    EXPECT_EQ(receipt["rejected"].empty(), receipt["name"] != "discount") << receipt.dump();
}

TEST_F(ControlPlaneTest, a_look_for_what_was_rejected_leaves_four_times_its_time_for_everything_else) {
  Proxy& proxy = connect_with_rule();
  proxy.reject = "the route is no good";
  const auto told = [&] {
    return store.all(kinds::virtual_service()).at(0)->status().dump().find("no good") != std::string::npos;
  };
  cpu_step = 100ms;
  put_rule("v3");
  settle();
  EXPECT_FALSE(told()) << "the push before it looked, and it took 100 ms";
  loop->advance(300ms);
  run();
  EXPECT_FALSE(told());
  loop->advance(3s);
  run();
  EXPECT_TRUE(told());
  proxy.reject.clear();
  auto wait = wait_applied(put_rule("v1"));
  settle();
  ASSERT_TRUE(wait->answer);
  EXPECT_TRUE((*wait->answer)["applied"].get<bool>()) << wait->answer->dump();
  EXPECT_FALSE(told()) << "who waits for the rule is answered when its status says so";
}

}  // namespace
}  // namespace weft::control
