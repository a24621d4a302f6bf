#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "productpage/catalogue.h"
#include "productpage/downstream.h"

namespace bookinfo::productpage {

/// The book's page: description, details, reviews with stars, and for each part that could not be had the
/// reason. Everything that comes from a user or a service is escaped; the description is not. The words,
/// classes and ids that tests and scripts look for are listed in the sample's README. `user` is the signed-in
/// name; an empty one counts as signed out.
std::string product_page(const Product& product, const Fetched& details, const Fetched& reviews,
                         const std::optional<std::string>& user);

/// The start page: a table of the services and where each is called, and the links to the book.
std::string index_page(const Downstream& downstream);

}  // namespace bookinfo::productpage
