#pragma once

#include <string>

#include "proxy/filters/http_filter.h"
#include "proxy/request/http_stream.h"

namespace weft::proxy::testing {

/// Keeps what the log line of the last request shows: "200 UT response_timeout"; status, flags, details.
class EndFilter final : public HttpFilter {
 public:
  explicit EndFilter(std::string& seen) : HttpFilter({.end = true}), seen_(seen) {}
  void on_end(HttpStream& stream) const override {
    seen_ = std::to_string(stream.info().status) + " ";
    stream.info().flags.append_to(seen_);
    seen_.append(" ").append(stream.info().details);
  }

 private:
  std::string& seen_;
};

}  // namespace weft::proxy::testing
