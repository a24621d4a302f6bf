#include "local/image_map.h"

#include <gtest/gtest.h>

namespace weft::local {
namespace {

using Arguments = std::vector<std::string>;

TEST(ImageMap, KnowsTheBookinfoImagesByAnyRegistryAndTag) {
  const ImageMap images("/bin/bookinfo");
  for (const char* image :
       {"registry.istio.io/release/examples-bookinfo-reviews-v3:1.20.3",
        "docker.io/istio/examples-bookinfo-reviews-v3:1.16.2", "examples-bookinfo-reviews-v3",
        "localhost:5000/examples-bookinfo-reviews-v3@sha256:00"}) {
    const auto found = images.find(image);
    ASSERT_TRUE(found) << image;
    EXPECT_EQ(found->arguments, (Arguments{"/bin/bookinfo", "reviews", "9080"})) << image;
    EXPECT_EQ(found->environment.at("STAR_COLOR"), "red") << image;
  }
  EXPECT_EQ(images.find("x/examples-bookinfo-reviews-v1:1")->environment.at("ENABLE_RATINGS"), "false");
  EXPECT_EQ(images.find("x/examples-bookinfo-ratings-v2:1")->environment.at("SERVICE_VERSION"), "v2");
  EXPECT_EQ(images.find("x/examples-bookinfo-mysqldb:1")->arguments,
            (Arguments{"/bin/bookinfo", "mysqldb", "3306"}));
}

TEST(ImageMap, KnowsNoOtherImage) {
  const ImageMap images("/bin/bookinfo");
  for (const char* image : {"nginx", "examples-bookinfo-", "examples-bookinfo-reviews",
                            "examples-bookinfo-mysqldb-v1:1", "", "a/b/c:1"})
    EXPECT_FALSE(images.find(image)) << image;
}

TEST(ImageMap, TakesWhatTheUserSaysWithAndWithoutATag) {
  ImageMap images("/bin/bookinfo");
  ASSERT_TRUE(images.add("example/shop=/bin/shop --port 80 'two words'"));
  ASSERT_TRUE(images.add("registry:5000/other:2=/bin/other"));
  EXPECT_EQ(images.find("example/shop:7")->arguments, (Arguments{"/bin/shop", "--port", "80", "two words"}));
  EXPECT_EQ(images.find("registry:5000/other:2")->arguments, (Arguments{"/bin/other"}));
  EXPECT_FALSE(images.find("registry:5000/other:3"));
}

TEST(ImageMap, RejectsWhatIsNotANameAndCommand) {
  ImageMap images("/bin/bookinfo");
  for (const char* bad : {"", "name", "=command", "name=", "name=  ", "name='open"}) {
    const auto added = images.add(bad);
    ASSERT_FALSE(added) << bad;
    EXPECT_NE(added.error().text.find("--image"), std::string::npos) << added.error().text;
  }
}

TEST(ImageMap, GivesTheFloodingProductpageItsFactor) {
  const ImageMap images("/bin/bookinfo");
  const auto flooding = images.find("x/examples-bookinfo-productpage-v-flooding:1");
  EXPECT_EQ(flooding->arguments, (Arguments{"/bin/bookinfo", "productpage", "9080"}));
  EXPECT_EQ(flooding->environment.at("FLOOD_FACTOR"), "100");
}

TEST(SplitArguments, HoldsQuotedTextTogether) {
  EXPECT_EQ(*split_arguments(" a  'b c' \"d \\\" e\" f\\ g '' "),
            (Arguments{"a", "b c", "d \" e", "f g", ""}));
  EXPECT_EQ(*split_arguments(""), Arguments{});
}

}  // namespace
}  // namespace weft::local
