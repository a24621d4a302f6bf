#include "control/typed_objects.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "control/testing/objects.h"
#include "control/translation/messages.h"
#include "control/translation/parts.h"
#include "control/translation/push_context.h"

namespace weft::control {
namespace {

using api::istio::VirtualService;

constexpr const char* kRules = R"(
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: default}
spec: {hosts: [a.example], http: [{route: [{destination: {host: a.example}}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: b, namespace: default}
spec: {hosts: [b.example], http: [{route: [{destination: {host: b.example}}]}]}
)";

/// As a server has them: `testing::objects` drops what only a server sets.
std::vector<api::ObjectPtr> rules() {
  std::vector<api::ObjectPtr> made;
  for (const api::ObjectPtr& object : testing::objects(kRules)) {
    api::Object stored = *object;
    stored.body["metadata"]["uid"] = "u-" + std::string(object->name());
    stored.body["metadata"]["generation"] = 1u;
    made.push_back(std::make_shared<const api::Object>(std::move(stored)));
  }
  return made;
}

api::ObjectPtr changed(const api::ObjectPtr& object, const std::function<void(api::Json&)>& change) {
  api::Object made = *object;
  change(made.body);
  return std::make_shared<const api::Object>(std::move(made));
}

const Typed<VirtualService>* find(const ObjectSnapshot& snapshot, std::string_view name) {
  return snapshot.typed().find<VirtualService>("default", name);
}

TEST(TypedObjects, are_the_same_in_memory_as_long_as_their_objects_are) {
  const ObjectSnapshot before = ObjectSnapshot::of(1, rules());
  const api::ObjectPtr a = find(before, "a")->object;
  const ObjectSnapshot after = before.with(changed(a, [](api::Json& body) {
    body["metadata"]["generation"] = 2u;
    body["spec"]["hosts"][0] = "other.example";
  }));
  EXPECT_EQ(find(after, "b"), find(before, "b"));
  EXPECT_NE(find(after, "a")->spec, find(before, "a")->spec);
  EXPECT_EQ(find(after, "a")->spec->hosts, std::vector<std::string>{"other.example"});
  EXPECT_EQ(find(before, "a")->spec->hosts, std::vector<std::string>{"a.example"});
}

TEST(TypedObjects, of_an_object_whose_status_changes_what_it_says_stays_the_same) {
  const ObjectSnapshot before = ObjectSnapshot::of(1, rules());
  const api::ObjectPtr a = find(before, "a")->object;
  const ObjectSnapshot after =
      before.with(changed(a, [](api::Json& body) { body["status"]["conditions"] = {1}; }));
  EXPECT_NE(find(after, "a")->object, a);
  EXPECT_EQ(find(after, "a")->spec, find(before, "a")->spec);
  // An object that replaces it counts its own generations.
  const ObjectSnapshot replaced =
      before.with(changed(a, [](api::Json& body) { body["metadata"]["uid"] = "other"; }));
  EXPECT_NE(find(replaced, "a")->spec, find(before, "a")->spec);
}

TEST(TypedObjects, are_found_by_their_names_and_of_the_kinds_of_their_world) {
  const ObjectSnapshot snapshot = ObjectSnapshot::of(1, rules());
  EXPECT_EQ(find(snapshot, "c"), nullptr);
  EXPECT_EQ(snapshot.typed().find<VirtualService>("other", "a"), nullptr);
  EXPECT_EQ(snapshot.typed().find<api::istio::Gateway>("default", "a"), nullptr);
  EXPECT_EQ(snapshot.typed().all<VirtualService>().size(), 2u);
  EXPECT_EQ(find(snapshot.only(std::array{kinds::virtual_service()}), "a"), find(snapshot, "a"));
  EXPECT_TRUE(snapshot.only({}).typed().all<VirtualService>().empty());
}

TEST(TypedObjects, a_match_that_is_no_list_holds_for_no_request) {
  const auto routes = [](const char* match) {
    auto objects = rules();
    objects[0] = changed(
        objects[0], [&](api::Json& body) { body["spec"]["http"][0]["match"] = api::Json::parse(match); });
    // As it came past every check: ObjectSnapshot::with() looks for no faults.
    const ObjectSnapshot snapshot = ObjectSnapshot().with(objects[0]);
    const PushContext push(std::make_shared<const ObjectSnapshot>(snapshot));
    const ProxyIdentity proxy;
    route::VirtualHost host;
    add_rule_routes(host, push.rules.virtual_services().front(), {push, proxy, std::string(kMesh), 80});
    return host.routes_size();
  };
  EXPECT_EQ(routes("null"), 1);
  EXPECT_EQ(routes(R"([{"uri": {"prefix": "/a"}}])"), 1);
  EXPECT_EQ(routes(R"({"uri": {"prefix": "/a"}})"), 0);
  EXPECT_EQ(routes(R"([{"sourceNamespace": "a"}])"), 0);
  EXPECT_EQ(routes(R"([{"uri": {"prefix": "/a"}, "cookies": 1}, {"uri": {"exact": "/b"}}])"), 1);
}

}  // namespace
}  // namespace weft::control
