#include "cli/mesh_api.h"

#include "api/json_text.h"
#include "http/client.h"

namespace weft::cli {

net::Task<Result<MeshApi::Answer>> RemoteMeshApi::get(std::string path, Duration limit) {
  http::Request request;
  request.path = "/weft/v1/" + path;
  http::FetchOptions options;
  options.deadline = loop_.now() + limit;
  WEFT_CO_TRY(http::Response response, co_await http::fetch(loop_, at_, std::move(request), options));
  Answer answer;
  answer.status = response.head.status;
  answer.body = api::parse_json(response.body);
  if (answer.body.is_discarded()) answer.body = nullptr;
  co_return answer;
}

}  // namespace weft::cli
