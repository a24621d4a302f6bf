#include "store/dependents.h"

#include <gtest/gtest.h>

namespace weft::store {
namespace {

api::Object owned(const std::string& name, const std::vector<std::string>& owners) {
  api::Json references = api::Json::array();
  for (const std::string& uid : owners) references.push_back({{"kind", "ConfigMap"}, {"uid", uid}});
  api::Json body = {
      {"metadata", {{"name", name}, {"namespace", "default"}, {"ownerReferences", references}}}};
  return {api::find_kind("v1", "ConfigMap"), std::move(body)};
}

std::string names(const Dependents& all, std::string_view uid) {
  std::string text;
  for (const api::Key& key : all.of(uid)) text += key.name + " ";
  return text;
}

TEST(Dependents, are_found_by_each_of_their_owners_in_order) {
  Dependents all;
  all.add(owned("b", {"1", "2"}));
  all.add(owned("a", {"1"}));
  all.add(owned("c", {}));
  EXPECT_EQ(names(all, "1"), "a b ");
  EXPECT_EQ(names(all, "2"), "b ");
  EXPECT_EQ(names(all, "3"), "");
}

TEST(Dependents, keep_nothing_of_what_has_gone) {
  Dependents all;
  all.add(owned("a", {"1", "2"}));
  all.add(owned("b", {"2"}));
  all.remove(owned("a", {"1", "2"}));
  EXPECT_EQ(names(all, "1"), "");
  EXPECT_EQ(names(all, "2"), "b ");
  EXPECT_EQ(all.size(), 1u);
  all.remove(owned("b", {"2", "9"}));
  EXPECT_EQ(all.size(), 0u);
}

TEST(Dependents, take_references_that_are_none_for_none) {
  api::Object odd = owned("a", {});
  for (const char* text : {"null", "3", "[3, {}, {\"uid\": 4}]", "{\"uid\": \"1\"}"}) {
    odd.body["metadata"]["ownerReferences"] = api::Json::parse(text);
    Dependents all;
    all.add(odd);
    EXPECT_EQ(all.size(), 0u) << text;
  }
}

}  // namespace
}  // namespace weft::store
