#include "cli/on_a_cluster.h"

#include <gtest/gtest.h>

namespace weft::cli {
namespace {

TEST(Cli, says_how_a_cluster_is_asked_the_same) {
  EXPECT_NE(on_a_cluster(ProxyStatusOptions{}).find("15019/weft/v1/proxies"), std::string::npos);
  EXPECT_NE(on_a_cluster(ProxyConfigOptions{}).find("15000/config_dump"), std::string::npos);
  for (const Command& command : {Command{GetOptions{}}, Command{ApplyOptions{}}, Command{LogsOptions{}}})
    EXPECT_NE(on_a_cluster(command).find("'kubectl' in place of 'weft'"), std::string::npos);
}

}  // namespace
}  // namespace weft::cli
