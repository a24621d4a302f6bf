#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "net/address.h"
#include "net/loop.h"
#include "net/task.h"

namespace weft::tls {
class Context;
}

namespace weft::pod {

/// The probes and lifecycle calls that injection turned to the sidecar, and what they were before: it makes
/// the original call and hands back the application's own response.
///
/// Immutable once made. Owner: the status server's owner. Thread: the loop that ask() is given.
class ApplicationProbes {
 public:
  struct Response {
    int status = 500;
    std::string content_type, body;
  };

  /// `json`: ISTIO_KUBE_APP_PROBERS, by the paths that a kubelet now asks; empty: none. A probe that cannot
  /// be made is one that fails, with the reason. Errors: kInvalid, when it is not a JSON object.
  static Result<ApplicationProbes> parse(std::string_view json, const net::Address& pod);

  /// 200 and others: the application's own response, with at most 10 KiB of its body. 400: there is no such
  /// path. 500: no response, with the reason. Redirects on the same host are followed, up to ten; one that
  /// leads away is a success, as a kubelet has it. `user_agent`: who asks, when it says so.
  net::Task<Response> ask(net::Loop& loop, std::string path, std::string user_agent) const;

 private:
  struct Http {
    bool tls = false;
    std::uint16_t port = 0;
    std::string path, host;  ///< host: of the Host field; empty: the pod's address
    std::vector<std::pair<std::string, std::string>> headers;
  };
  struct Tcp {
    std::uint16_t port = 0;
  };
  struct Grpc {
    std::uint16_t port = 0;
    std::string service;
  };
  struct Broken {
    std::string reason;
  };
  struct Probe {
    std::variant<Broken, Http, Tcp, Grpc> call;
    std::chrono::seconds timeout{1};
  };
  struct Reader;

  static net::Task<Response> ask_http(net::Loop& loop, net::Address pod, Http call, std::string user_agent,
                                      TimePoint deadline);
  static net::Task<Response> ask_tcp(net::Loop& loop, net::Address to, TimePoint deadline);
  static net::Task<Response> ask_grpc(net::Loop& loop, net::Address to, std::string service,
                                      TimePoint deadline);
  static bool follow(Http& call, std::string_view location, const net::Address& pod);

  net::Address pod_;
  std::map<std::string, Probe, std::less<>> probes_;
};

}  // namespace weft::pod
