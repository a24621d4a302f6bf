#include "api/gateway_api/reference_grant.h"

#include <gtest/gtest.h>

#include "api/testing/spec.h"

namespace weft::api::gateway_api {
namespace {

TEST(ReferenceGrantReading, a_grant_lets_in_what_both_of_its_lists_name) {
  constexpr const char* kFrom = "from: [{group: g, kind: HTTPRoute, namespace: a}]";
  const struct {
    const char* to;
    bool one, other;  ///< Services of these names
  } rows[] = {{"[{group: '', kind: Service}]", true, true},
              {"[{group: '', kind: Service, name: one}]", true, false},
              {"[{kind: Service, name: null}]", true, true},
              {"[{group: '', kind: Secret}]", false, false},
              {"[{group: '', kind: Service, name: 5}]", false, false},
              {"[{group: '', kind: Service, labels: {app: one}}]", false, false},
              {"[5, {group: '', kind: Service, name: other}]", false, true},
              {"5", false, false}};
  for (const auto& row : rows) {
    const ReferenceGrant grant =
        read_reference_grant(testing::spec("{" + std::string(kFrom) + ", to: " + row.to + "}"));
    const GrantFrom whose{"g", "HTTPRoute", "a"};
    EXPECT_EQ(grant.lets(whose, {"", "Service", "one"}), row.one) << row.to;
    EXPECT_EQ(grant.lets(whose, {"", "Service", "other"}), row.other) << row.to;
    EXPECT_FALSE(grant.lets({"g", "HTTPRoute", "b"}, {"", "Service", "one"})) << row.to;
    EXPECT_FALSE(grant.lets({"g", "GRPCRoute", "a"}, {"", "Service", "one"})) << row.to;
  }
}

}  // namespace
}  // namespace weft::api::gateway_api
