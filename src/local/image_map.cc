#include "local/image_map.h"

#include <algorithm>
#include <array>

namespace weft::local {
namespace {

constexpr std::string_view kBookinfoPrefix = "examples-bookinfo-";
constexpr std::string_view kBookinfoPort = "9080";
constexpr std::string_view kMysqlPort = "3306";

using Variables = std::map<std::string, std::string>;

/// What today's images of reviews have built in, by version.
Variables reviews_environment(std::string_view version) {
  if (version == "v2") return {{"ENABLE_RATINGS", "true"}};
  if (version == "v3") return {{"ENABLE_RATINGS", "true"}, {"STAR_COLOR", "red"}};
  return {{"ENABLE_RATINGS", "false"}};
}

}  // namespace

std::string_view image_name(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const auto slash = image.rfind('/');
  const auto colon = image.rfind(':');
  const bool tagged = colon != image.npos && (slash == image.npos || colon > slash);
  return tagged ? image.substr(0, colon) : image;
}

Result<std::vector<std::string>> split_arguments(std::string_view line) {
  std::vector<std::string> arguments;
  bool inside = false;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      inside = false;
      continue;
    }
    if (!std::exchange(inside, true)) arguments.emplace_back();
    if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      arguments.back() += line[++i];
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else {
      arguments.back() += c;
    }
  }
  if (quote != 0)
    return fail(Error::config(Code::kInvalid, "a quote in \"" + std::string(line) + "\" does not end"));
  return arguments;
}

Result<void> ImageMap::add(std::string_view name_and_command) {
  const auto equals = name_and_command.find('=');
  if (equals == name_and_command.npos || equals == 0)
    return fail(
        Error::config(Code::kInvalid, "--image " + std::string(name_and_command) + ": must be NAME=COMMAND"));
  auto arguments = split_arguments(name_and_command.substr(equals + 1));
  if (!arguments) return std::unexpected(std::move(arguments).error().with_context("--image"));
  if (arguments->empty())
    return fail(Error::config(
        Code::kInvalid, "--image " + std::string(name_and_command) + ": there is no command after '='"));
  commands_.insert_or_assign(std::string(name_and_command.substr(0, equals)), std::move(*arguments));
  return {};
}

std::optional<ImageCommand> ImageMap::find(std::string_view image) const {
  for (std::string_view name : {image, image_name(image)})
    if (auto found = commands_.find(name); found != commands_.end()) return ImageCommand{found->second, {}};
  return find_bookinfo(image);
}

std::optional<ImageCommand> ImageMap::find_bookinfo(std::string_view image) const {
  std::string_view name = image_name(image);
  name = name.substr(name.rfind('/') + 1);  // npos + 1 is 0: no slash, the whole name
  if (!name.starts_with(kBookinfoPrefix)) return std::nullopt;
  name.remove_prefix(kBookinfoPrefix.size());
  if (name == "mysqldb") return ImageCommand{{bookinfo_, "mysqldb", std::string(kMysqlPort)}, {}};
  const auto dash = name.find('-');
  if (dash == name.npos) return std::nullopt;
  const std::string_view service = name.substr(0, dash), version = name.substr(dash + 1);
  constexpr std::array<std::string_view, 4> kServices = {"productpage", "details", "reviews", "ratings"};
  if (std::ranges::find(kServices, service) == kServices.end()) return std::nullopt;
  ImageCommand command{{bookinfo_, std::string(service), std::string(kBookinfoPort)}, {}};
  if (service == "reviews") command.environment = reviews_environment(version);
  if (service == "ratings") command.environment = {{"SERVICE_VERSION", std::string(version)}};
  if (service == "details" && version == "v2")
    command.environment = {{"ENABLE_EXTERNAL_BOOK_SERVICE", "true"}};
  if (service == "productpage" && version == "v-flooding") command.environment = {{"FLOOD_FACTOR", "100"}};
  return command;
}

}  // namespace weft::local
