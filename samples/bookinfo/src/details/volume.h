#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace bookinfo::details {

/// Makes the nine facts of a book from the first volume in an answer of the Google Books API. `id` is the one
/// asked for. The year stays the string it is there; a publisher, year or number of pages that is not there
/// is null. The error says in one line what is missing: JSON, items, authors, or one of the two ISBNs.
/// Source: https://developers.google.com/books/docs/v1/reference/volumes
std::expected<boost::json::value, std::string> book_of_volumes(std::string_view body, std::int64_t id);

}  // namespace bookinfo::details
