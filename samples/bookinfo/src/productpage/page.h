#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/compat.h"
#include "productpage/catalogue.h"
#include "productpage/downstream.h"
#include "productpage/making.h"

namespace bookinfo::productpage {

/// All that one page is made of.
struct PageParts {
  const Product& product;
  const Fetched& details;
  const Fetched& reviews;
  std::optional<std::string> user;  ///< the signed-in name; an empty one counts as signed out
  Making making;
  Compat compat = Compat::kToday;  ///< 0.2.9 draws stars in `<font>` and ends its error headings in `!`
};

/// The book's page: description, details, reviews with stars, for each part that could not be had the
/// reason, and how the page was made. Everything that comes from a user or a service is escaped; the
/// description is not. The words, classes and ids that tests and scripts look for are listed in the sample's
/// README.
std::string product_page(const PageParts& parts);

/// The start page: a table of the services and where each is called, and the links to the book.
std::string index_page(const Downstream& downstream);

}  // namespace bookinfo::productpage
