#include "productpage/catalogue.h"

namespace bookinfo::productpage {

const Product& only_product() {
  static constexpr Product kProduct = {
      .id = 0,
      .title = "The Comedy of Errors",
      .description_html =
          R"(<a href="https://en.wikipedia.org/wiki/The_Comedy_of_Errors">Wikipedia Summary</a>: )"
          R"(Two brothers who were parted as babies share one face and one name, and so do their servants. )"
          R"(When all four turn up in Ephesus on the same day, nobody can tell who owes, loves or beats whom. )"
          R"(It is the shortest of <b>William Shakespeare's</b> plays, and among the first he wrote.)",
  };
  return kProduct;
}

}  // namespace bookinfo::productpage
