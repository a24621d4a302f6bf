#include "xds/wire.h"

#include <gtest/gtest.h>

#include "xds/convert.h"
#include "xds/testing/messages.h"

namespace weft::xds {
namespace {

using testing::parsed;

TEST(Wire, a_repeated_field_is_split_off_and_the_rest_is_the_message_without_it) {
  auto table = parsed<route::RouteConfiguration>(
      "name: 't' virtual_hosts { name: 'a' } virtual_hosts { name: 'b' domains: '*' } "
      "validate_clusters {} ignore_port_in_host_matching: true");
  testing::add_unknown(table, 900);
  const std::string bytes = table.SerializeAsString();
  const auto split = split_repeated(bytes, route::RouteConfiguration::kVirtualHostsFieldNumber);
  ASSERT_TRUE(split);
  ASSERT_EQ(split->items.size(), 2u);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(split->items[static_cast<std::size_t>(i)], table.virtual_hosts(i).SerializeAsString());
  table.clear_virtual_hosts();
  EXPECT_EQ(split->rest, table.SerializeAsString());
}

TEST(Wire, fields_of_every_form_are_stepped_over) {
  // A varint of ten bytes, 64 bits, text, 32 bits; the field looked for has another form once.
  const std::string bytes = std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11) +
                            std::string(
                                "\x11"
                                "12345678",
                                9) +
                            std::string("\x1a\x02zz", 4) +
                            std::string(
                                "\x25"
                                "1234",
                                5) +
                            std::string("\x18\x05", 2);
  const auto split = split_repeated(bytes, 3);
  ASSERT_TRUE(split);
  EXPECT_EQ(split->items, std::vector<std::string_view>{"zz"});
  EXPECT_EQ(split->rest.size(), bytes.size() - 4);
  EXPECT_EQ(value_of_field(bytes, 3), "zz");
  EXPECT_EQ(value_of_field(bytes, 9), "");
}

TEST(Wire, what_is_no_message_is_said_to_be_none) {
  for (const std::string_view bytes : {
           std::string_view("\xff", 1),        // a tag that breaks off
           std::string_view("\x02\x01x", 3),   // field 0
           std::string_view("\x0a\x05xx", 4),  // longer than what is there
           std::string_view("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 12),  // far longer
           std::string_view("\x0b\x0c", 2),                                        // a group
           std::string_view("\x09xxxx", 5),                                        // 64 bits that break off
           std::string_view("\x08\x80", 2),                                        // a varint that breaks off
           std::string_view("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12),  // one that is too long
       })
    EXPECT_FALSE(split_repeated(bytes, 1)) << bytes.size();
}

TEST(Wire, of_a_field_that_is_there_twice_the_last_value_holds_as_for_the_parser) {
  EXPECT_EQ(value_of_field(std::string_view("\x0a\x01x\x0a\x01y\xff", 7), 1), "y");
}

}  // namespace
}  // namespace weft::xds
