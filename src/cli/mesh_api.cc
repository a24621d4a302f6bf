#include "cli/mesh_api.h"

#include "api/json_text.h"
#include "http/client.h"

namespace weft::cli {

net::Task<Result<MeshApi::Response>> RemoteMeshApi::get(std::string path, Duration limit) {
  http::Request request;
  request.path = "/weft/v1/" + path;
  http::FetchOptions options;
  options.deadline = loop_.now() + limit;
  WEFT_CO_TRY(http::Response fetched, co_await http::fetch(loop_, at_, std::move(request), options));
  Response response;
  response.status = fetched.head.status;
  response.body = api::parse_json(fetched.body);
  if (response.body.is_discarded()) response.body = nullptr;
  co_return response;
}

}  // namespace weft::cli
