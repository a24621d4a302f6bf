#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft::inject {

/// A whole number from `min` to `max`, without sign or space.
std::optional<int> number(std::string_view text, int min, int max);

/// The rules of the texts of annotations and settings: each returns the end of a sentence that begins with
/// the value, or nothing when it is right. Any thread.
using Check = std::string (*)(std::string_view);

std::string ranges(std::string_view text);  ///< "10.0.0.0/8,fd00::/8"; also empty
std::string ranges_or_all(std::string_view text);
std::string ports(std::string_view text);  ///< "80,8080"; also empty
std::string ports_or_all(std::string_view text);
std::string interfaces(std::string_view text);  ///< "eth1,net2"
std::string boolean(std::string_view text);
std::string level(std::string_view text);        ///< of the proxy's log
std::string status_port(std::string_view text);  ///< 0: none
std::string seconds(std::string_view text);
std::string count(std::string_view text);  ///< from 1
std::string stale_endpoint_wait(std::string_view text);

/// What a quantity ("100m", "1Gi", "2e3") is worth; 0 for any other text.
double quantity(std::string_view text);

/// A list without the spaces around its parts.
std::string packed(std::string_view list);

}  // namespace weft::inject
