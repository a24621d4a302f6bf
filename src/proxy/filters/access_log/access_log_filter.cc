#include "proxy/filters/access_log/access_log_filter.h"

#include "proxy/listener/downstream_connection.h"
#include "proxy/request/http_stream.h"
#include "proxy/worker_facts.h"

namespace weft::proxy {
namespace {

class AccessLogFilter final : public HttpFilter {
 public:
  AccessLogFilter() : HttpFilter({.end = true}) {}
  void on_end(HttpStream& stream) const override {
    stream.connection().facts().logs.write(stream.chain().logs, stream.info());
  }
};

}  // namespace

std::shared_ptr<const HttpFilter> access_log_filter() {
  static const auto kFilter = std::make_shared<const AccessLogFilter>();
  return kFilter;
}

}  // namespace weft::proxy
