#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace bookinfo {

/// Parses one JSON text. Nothing when it is not JSON, or is nested deeper than 32 levels.
std::optional<boost::json::value> parse_json(std::string_view text);

/// A member of an object; null for whatever is no object or has no such member: other services may send
/// anything.
const boost::json::value* member(const boost::json::value* from, std::string_view name);

/// `{"id":0,"year":1595}`: no white space, keys in the order they were put in.
std::string compact_json(const boost::json::value& value);

/// `{"id": 0, "year": 1595}`: a space after every colon and comma, the way Python writes JSON.
std::string spaced_json(const boost::json::value& value);

}  // namespace bookinfo
