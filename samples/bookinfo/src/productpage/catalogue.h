#pragma once

#include <string_view>

namespace bookinfo::productpage {

/// One product of the shop.
struct Product {
  int id = 0;
  std::string_view title;
  std::string_view description_html;  ///< our own markup, shown as it is
};

/// The only book there is.
const Product& only_product();

}  // namespace bookinfo::productpage
