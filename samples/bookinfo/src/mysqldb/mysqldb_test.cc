#include "mysqldb/mysqldb.h"

#include <gtest/gtest.h>

namespace bookinfo::mysqldb {
namespace {

using Words = std::vector<std::string>;

TEST(Mysqldb, joins_options_with_their_values_and_lets_the_server_pass_over_them) {
  const char* const options[] = {"--default-authentication-plugin", "mysql_native_password",
                                 "--max-connections=5", "--skip-ssl"};
  EXPECT_EQ(as_loose_options(options), (Words{"--loose-default-authentication-plugin=mysql_native_password",
                                              "--loose-max-connections=5", "--loose-skip-ssl"}));
  const char* const stray[] = {"value"};
  EXPECT_EQ(as_loose_options(stray), Words{});
}

TEST(Mysqldb, a_password_cannot_leave_its_quotes) {
  const std::string statements = seed_statements("it's a \\ word");
  EXPECT_NE(statements.find("IDENTIFIED BY 'it\\'s a \\\\ word';"), std::string::npos) << statements;
}

TEST(Mysqldb, needs_a_password) {
  for (const char* unusable : {"", "a\nb", "\x1f"}) {
    const std::string wrong = become("3306", {}, Environment({{"MYSQL_ROOT_PASSWORD", unusable}}));
    EXPECT_TRUE(wrong.starts_with("MYSQL_ROOT_PASSWORD")) << wrong;
  }
  EXPECT_TRUE(become("3306", {}, Environment({})).starts_with("MYSQL_ROOT_PASSWORD"));
}

}  // namespace
}  // namespace bookinfo::mysqldb
