#include "ratings/mongodb_database.h"

#include <mongoc/mongoc.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace bookinfo::ratings {

namespace {

constexpr std::uint32_t kMostBytesPerValue = 64 * 1024;
constexpr std::int32_t kLongestConnectMilliseconds = 10'000;
constexpr const char* kDatabase = "test";

using Url = std::unique_ptr<mongoc_uri_t, decltype(&mongoc_uri_destroy)>;
using Client = std::unique_ptr<mongoc_client_t, decltype(&mongoc_client_destroy)>;
using Collection = std::unique_ptr<mongoc_collection_t, decltype(&mongoc_collection_destroy)>;
using Cursor = std::unique_ptr<mongoc_cursor_t, decltype(&mongoc_cursor_destroy)>;
using Server = std::unique_ptr<mongoc_server_description_t, decltype(&mongoc_server_description_destroy)>;
using Document = std::unique_ptr<bson_t, decltype(&bson_destroy)>;

std::unexpected<Failure> failure(Failure::Kind kind, std::string why) {
  return std::unexpected(Failure{kind, std::move(why)});
}

/// The URL with its waits bounded, whatever it says itself; nothing when it is no URL of MongoDB.
Url bounded_url(const std::string& text, std::int32_t left) {
  bson_error_t error;
  Url url(mongoc_uri_new_with_error(text.c_str(), &error), mongoc_uri_destroy);
  if (url == nullptr) return url;
  const std::int32_t to_connect = std::min(left, kLongestConnectMilliseconds);
  mongoc_uri_set_option_as_int32(url.get(), MONGOC_URI_CONNECTTIMEOUTMS, to_connect);
  mongoc_uri_set_option_as_int32(url.get(), MONGOC_URI_SERVERSELECTIONTIMEOUTMS, to_connect);
  mongoc_uri_set_option_as_int32(url.get(), MONGOC_URI_SOCKETTIMEOUTMS, left);
  return url;
}

/// Signing in happens with the first command, so an error of the find can still be one of connecting.
Failure::Kind kind_of(const bson_error_t& error) {
  const bool is_connecting =
      error.domain == MONGOC_ERROR_SERVER_SELECTION || error.domain == MONGOC_ERROR_CLIENT;
  return is_connecting ? Failure::Kind::kConnect : Failure::Kind::kRead;
}

std::expected<boost::json::value, Failure> value_of(const bson_t* document) {
  bson_iter_t field;
  if (!bson_iter_init_find(&field, document, "rating")) return boost::json::value(nullptr);
  switch (bson_iter_type(&field)) {
    case BSON_TYPE_INT32: return boost::json::value(bson_iter_int32(&field));
    case BSON_TYPE_INT64: return boost::json::value(bson_iter_int64(&field));
    case BSON_TYPE_DOUBLE: return number(bson_iter_double(&field));
    case BSON_TYPE_BOOL: return boost::json::value(bson_iter_bool(&field));
    case BSON_TYPE_UTF8: {
      std::uint32_t length = 0;
      const char* text = bson_iter_utf8(&field, &length);
      if (length > kMostBytesPerValue) return failure(Failure::Kind::kRead, "a rating is too long a text");
      return boost::json::value(boost::json::string(text, length));
    }
    default: return boost::json::value(nullptr);
  }
}

RatingRows rows_of(mongoc_cursor_t* cursor) {
  boost::json::array rows;
  const bson_t* document = nullptr;
  while (rows.size() < 2 && mongoc_cursor_next(cursor, &document)) {
    auto value = value_of(document);
    if (!value) return std::unexpected(std::move(value).error());
    rows.push_back(std::move(*value));
  }
  bson_error_t error;
  if (mongoc_cursor_error(cursor, &error)) return failure(kind_of(error), error.message);
  return rows;
}

RatingRows find(mongoc_client_t* client, const char* database, std::int32_t left) {
  const Collection collection(mongoc_client_get_collection(client, database, "ratings"),
                              mongoc_collection_destroy);
  const Document all(bson_new(), bson_destroy);
  const Document options(BCON_NEW("limit", BCON_INT64(2), "maxTimeMS", BCON_INT64(left), "projection", "{",
                                  "rating", BCON_INT32(1), "}"),
                         bson_destroy);
  const Cursor cursor(mongoc_collection_find_with_opts(collection.get(), all.get(), options.get(), nullptr),
                      mongoc_cursor_destroy);
  return rows_of(cursor.get());
}

}  // namespace

MongodbDatabase::MongodbDatabase(std::string url, bool in_2017) : url_(std::move(url)), in_2017_(in_2017) {
  mongoc_init();
  mongoc_log_set_handler(nullptr, nullptr);
}

RatingRows MongodbDatabase::read(Deadline deadline) {
  const std::int32_t left = milliseconds_until(deadline);
  const Url url = bounded_url(url_, left);
  if (!url) return failure(Failure::Kind::kConnect, "MONGO_DB_URL is not set, or no URL of MongoDB");
  bson_error_t error{};
  const Client client(mongoc_client_new_from_uri(url.get()), mongoc_client_destroy);
  if (!client) return failure(Failure::Kind::kConnect, "MONGO_DB_URL asks for what this program has not");
  const Server server(mongoc_client_select_server(client.get(), false, nullptr, &error),
                      mongoc_server_description_destroy);
  if (!server) return failure(Failure::Kind::kConnect, error.message);
  const char* named = mongoc_uri_get_database(url.get());
  return find(client.get(), in_2017_ && named != nullptr ? named : kDatabase, left);
}

}  // namespace bookinfo::ratings
