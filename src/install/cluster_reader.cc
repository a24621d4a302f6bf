#include "install/cluster_reader.h"

#include "http/server.h"
#include "install/json_access.h"

namespace weft::install {
namespace {

constexpr std::size_t kMaxItems = 100'000;

bool is_absence(const Error& error) {
  return error.code == Code::kNotFound || error.code == Code::kUnsupported;
}

}  // namespace

net::Task<Result<api::Json>> ClusterReader::get(std::string path) {
  store::RawRequest request{.path = std::move(path)};
  auto response = co_await api_.call(std::move(request));
  if (!response && is_absence(response.error())) co_return api::Json(nullptr);
  co_return response;
}

net::Task<Result<std::vector<api::Json>>> ClusterReader::list(std::string path) {
  std::vector<api::Json> items;
  std::string more;
  do {
    std::string page = path + (path.find('?') == path.npos ? "?" : "&") + "limit=500";
    if (!more.empty()) page += "&continue=" + http::percent_encode(more);
    store::RawRequest request{.path = std::move(page)};
    auto response = co_await api_.call(std::move(request));
    if (!response && is_absence(response.error())) co_return items;
    if (!response) co_return fail(std::move(response).error());
    for (const api::Json& item : json::list(*response, {"items"})) items.push_back(item);
    more = json::string(*response, {"metadata", "continue"});
  } while (!more.empty() && items.size() < kMaxItems);
  co_return items;
}

}  // namespace weft::install
