#include "xds/path.h"

#include <gtest/gtest.h>

namespace weft::xds {
namespace {

TEST(Path, is_written_as_people_write_it) {
  const Path root, named("bootstrap");
  EXPECT_EQ(root.to_string(), "");
  EXPECT_EQ(named.to_string(), "bootstrap");
  const Path list = root.field("filter_chains"), item = list.item(0), inner = item.field("filters"),
             second = inner.item(12), leaf = second.field("name");
  EXPECT_EQ(leaf.to_string(), "filter_chains[0].filters[12].name");
  const Path map = named.field("options"), entry = map.entry("a.b"), of_entry = entry.field("idle_timeout");
  EXPECT_EQ(of_entry.to_string(), "bootstrap.options[\"a.b\"].idle_timeout");
  const Path nested = item.item(3), empty = nested.field("");
  EXPECT_EQ(nested.to_string(), "filter_chains[0][3]");
  EXPECT_EQ(empty.to_string(), "filter_chains[0][3]");
}

TEST(Path, its_errors_begin_with_it_and_blame_the_configuration) {
  const Path root, field = root.field("name");
  const Error invalid = field.invalid("is missing"), unsupported = root.unsupported("is not supported");
  EXPECT_EQ(invalid.text, "name: is missing");
  EXPECT_EQ(invalid.code, Code::kInvalid);
  EXPECT_EQ(invalid.blame, Blame::kConfig);
  EXPECT_EQ(unsupported.text, "is not supported");
  EXPECT_EQ(unsupported.code, Code::kUnsupported);
}

}  // namespace
}  // namespace weft::xds
