#include "proxy/routing/header_mutation.h"

#include <gtest/gtest.h>

namespace weft::proxy {
namespace {

using Action = HeaderChange::Action;

/// The fields after the change, as "name=value" in their order.
std::string after(const HeaderChanges& changes,
                  std::initializer_list<std::pair<const char*, const char*>> before) {
  http::Headers headers;
  for (const auto& [name, value] : before) headers.add(name, value);
  const auto mutation = HeaderMutation::compile(changes);
  if (!mutation) return mutation.error().text;
  mutation->apply(headers, RequestInfo{});
  std::string text;
  for (const http::Headers::Field field : headers)
    text += std::string(field.name) + "=" + std::string(field.value) + " ";
  return text;
}

HeaderChanges adding(const char* value, Action action) {
  return {.add = {{.name = "x", .value = value, .action = action}}, .remove = {}};
}

TEST(HeaderMutation, each_action_does_its_own_where_the_field_is_and_where_it_is_not) {
  struct Row {
    Action action;
    const char *with, *without;
  };
  for (const Row& row :
       {Row{Action::kAppend, "x=1 y=2 x=3 ", "y=2 x=3 "}, Row{Action::kAddIfAbsent, "x=1 y=2 ", "y=2 x=3 "},
        Row{Action::kOverwriteOrAdd, "x=3 y=2 ", "y=2 x=3 "},
        Row{Action::kOverwriteIfExists, "x=3 y=2 ", "y=2 "}}) {
    EXPECT_EQ(after(adding("3", row.action), {{"x", "1"}, {"y", "2"}}), row.with);
    EXPECT_EQ(after(adding("3", row.action), {{"y", "2"}}), row.without);
  }
}

TEST(HeaderMutation, values_and_tests_are_of_the_fields_as_they_were_and_overwriting_comes_first) {
  const auto both = [](HeaderChange first, HeaderChange second, const char* was) {
    const HeaderChanges changes{.add = {std::move(first), std::move(second)}, .remove = {}};
    return was ? after(changes, {{"x", was}}) : after(changes, {});
  };
  const auto x = [](const char* value, Action action) {
    return HeaderChange{.name = "x", .value = value, .action = action};
  };
  EXPECT_EQ(both(x("r", Action::kAppend), x("d", Action::kOverwriteOrAdd), "1"), "x=d x=r ");
  EXPECT_EQ(both(x("1", Action::kOverwriteOrAdd), x("2", Action::kAddIfAbsent), nullptr), "x=1 x=2 ");
  EXPECT_EQ(both(x("1", Action::kAddIfAbsent), x("2", Action::kOverwriteIfExists), nullptr), "x=1 ");
}

TEST(HeaderMutation, a_value_says_what_the_request_said_before_it_was_changed) {
  http::RequestHead request;
  request.headers.add("x-user", "alice");
  RequestInfo info;
  info.request = &request;
  const auto mutation = HeaderMutation::compile(
      {.add = {{.name = "x-user", .value = "anon", .action = Action::kOverwriteOrAdd},
               {.name = "x-user-was", .value = "%REQ(x-user)%", .action = Action::kOverwriteOrAdd}},
       .remove = {}});
  ASSERT_TRUE(mutation);
  mutation->apply(request.headers, info);
  EXPECT_EQ(request.headers.get("x-user"), "anon");
  EXPECT_EQ(request.headers.get("x-user-was"), "alice");
}

TEST(HeaderMutation, removes_every_field_of_the_name_before_it_adds) {
  HeaderChanges changes = adding("3", Action::kAddIfAbsent);
  changes.remove = {"X", "none"};
  EXPECT_EQ(after(changes, {{"x", "1"}, {"y", "2"}, {"x", "1"}}), "y=2 x=3 ");
}

TEST(HeaderMutation, an_empty_value_is_added_only_where_it_is_to_be_kept) {
  HeaderChanges changes = adding("", Action::kOverwriteOrAdd);
  EXPECT_EQ(after(changes, {{"x", "1"}}), "x=1 ");
  changes.add.edit()[0].keep_empty = true;
  EXPECT_EQ(after(changes, {{"x", "1"}}), "x= ");
}

TEST(HeaderMutation, an_operator_that_is_not_known_is_named_with_its_field) {
  const std::string error = after(adding("%NO_SUCH%", Action::kAppend), {});
  EXPECT_NE(error.find("header 'x'"), std::string::npos) << error;
  EXPECT_NE(error.find("NO_SUCH"), std::string::npos) << error;
}

}  // namespace
}  // namespace weft::proxy
