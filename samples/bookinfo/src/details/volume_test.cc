#include "details/volume.h"

#include <gtest/gtest.h>

#include "common/json.h"

namespace bookinfo::details {

namespace {

const std::string kVolume =
    R"({"authors":["A. Writer","Another"],"publisher":"A House","publishedDate":"2002-09-01","pageCount":96,)"
    R"("printType":"BOOK","language":"en","industryIdentifiers":[{"type":"ISBN_13","identifier":"978"},)"
    R"({"type":"ISBN_10","identifier":"048"},{"type":"ISBN_10","identifier":"second"}]})";

std::expected<boost::json::value, std::string> read(const std::string& volume) {
  return book_of_volumes(R"({"kind":"books#volumes","items":[{"volumeInfo":)" + volume + R"(},{"x":1}]})", 7);
}

std::string changed(std::string_view from, std::string_view to) {
  std::string volume = kVolume;
  volume.replace(volume.find(from), from.size(), to);
  return volume;
}

}  // namespace

TEST(Volume, becomes_a_book_of_nine_facts_in_the_order_of_the_built_in_one) {
  const auto book = read(kVolume);
  ASSERT_TRUE(book) << book.error();
  EXPECT_EQ(compact_json(*book),
            R"({"id":7,"author":"A. Writer","year":"2002-09-01","type":"paperback","pages":96,)"
            R"("publisher":"A House","language":"English","ISBN-10":"048","ISBN-13":"978"})");
}

TEST(Volume, of_another_kind_or_language_is_unknown) {
  const auto book = read(changed(R"("BOOK","language":"en")", R"("MAGAZINE","language":"fr")"));
  ASSERT_TRUE(book);
  EXPECT_EQ(book->at("type").as_string(), "unknown");
  EXPECT_EQ(book->at("language").as_string(), "unknown");
}

TEST(Volume, without_a_publisher_a_year_or_pages_shows_null) {
  const auto book =
      read(changed(R"("publisher":"A House","publishedDate":"2002-09-01","pageCount":96,)", ""));
  ASSERT_TRUE(book);
  for (const char* name : {"publisher", "year", "pages"}) EXPECT_TRUE(book->at(name).is_null()) << name;
}

TEST(Volume, that_lacks_what_a_book_needs_is_an_error_that_names_it) {
  EXPECT_NE(read(changed("authors", "x")).error().find("author"), std::string::npos);
  EXPECT_NE(read(changed(R"(["A. Writer","Another"])", "[]")).error().find("author"), std::string::npos);
  EXPECT_NE(read(changed("ISBN_13", "x")).error().find("ISBN_13"), std::string::npos);
  EXPECT_NE(read(changed("industryIdentifiers", "x")).error().find("ISBN_10"), std::string::npos);
  for (const char* body : {"", "<html>", "[]", "5", "{}", R"({"items":[]})", R"({"items":{}})",
                           R"({"items":[1]})", R"({"items":[{"volumeInfo":[]}]})"}) {
    EXPECT_FALSE(book_of_volumes(body, 0)) << body;
  }
}

}  // namespace bookinfo::details
