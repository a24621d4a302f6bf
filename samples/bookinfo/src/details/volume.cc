#include "details/volume.h"

#include "common/json.h"

namespace bookinfo::details {

namespace {

namespace json = boost::json;

const json::value* first_of(const json::value* list) {
  const json::array* array = list == nullptr ? nullptr : list->if_array();
  return array == nullptr || array->empty() ? nullptr : &array->front();
}

json::value copy_or_null(const json::value* value) { return value == nullptr ? json::value() : *value; }

bool is_text(const json::value* value, std::string_view text) {
  const json::string* string = value == nullptr ? nullptr : value->if_string();
  return string != nullptr && std::string_view(*string) == text;
}

std::string_view text_if(const json::value* value, std::string_view text, std::string_view then) {
  return is_text(value, text) ? then : "unknown";
}

const json::value* identifier(const json::value* volume, std::string_view type) {
  const json::value* all = member(volume, "industryIdentifiers");
  const json::array* list = all == nullptr ? nullptr : all->if_array();
  if (list == nullptr) return nullptr;
  for (const json::value& one : *list) {
    if (is_text(member(&one, "type"), type)) return member(&one, "identifier");
  }
  return nullptr;
}

}  // namespace

std::expected<json::value, std::string> book_of_volumes(std::string_view body, std::int64_t id) {
  const auto missing = [](std::string_view what) {
    return std::unexpected("the book service's answer has no " + std::string(what));
  };
  const auto answer = parse_json(body);
  if (!answer) return std::unexpected("the book service's answer is not JSON");
  const json::value* item = first_of(member(&*answer, "items"));
  const json::value* volume = member(item, "volumeInfo");
  if (volume == nullptr) return missing("volume");
  const json::value* author = first_of(member(volume, "authors"));
  if (author == nullptr) return missing("author");
  const json::value* isbn_10 = identifier(volume, "ISBN_10");
  if (isbn_10 == nullptr) return missing("ISBN_10");
  const json::value* isbn_13 = identifier(volume, "ISBN_13");
  if (isbn_13 == nullptr) return missing("ISBN_13");
  return json::value{
      {"id", id},
      {"author", *author},
      {"year", copy_or_null(member(volume, "publishedDate"))},
      {"type", text_if(member(volume, "printType"), "BOOK", "paperback")},
      {"pages", copy_or_null(member(volume, "pageCount"))},
      {"publisher", copy_or_null(member(volume, "publisher"))},
      {"language", text_if(member(volume, "language"), "en", "English")},
      {"ISBN-10", *isbn_10},
      {"ISBN-13", *isbn_13},
  };
}

}  // namespace bookinfo::details
