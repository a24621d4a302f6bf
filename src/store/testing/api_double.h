#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/server.h"
#include "store/kubernetes/cluster_access.h"
#include "tls/certificate.h"

namespace weft::store::testing {

/// A certificate authority and a server's certificate of it, for "api.test" and 127.0.0.1.
struct Certificates {
  tls::CertificateAuthority authority;
  std::string certificate, key;

  static Certificates make();
  tls::ContextSource server() const;
};

/// One response of the double, in the order of the requests.
struct Step {
  enum class End { kOrderly, kCut, kSilent };
  std::string expected = {};  ///< "METHOD TARGET" of the request must contain it
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::vector<std::string> pieces = {};  ///< of the body, each flushed by itself
  Duration between = Duration::zero();   ///< pieces
  End end = End::kOrderly;
  Duration before = Duration::zero();  ///< the head
};

/// An API server that does what a script says, however wrong. Requests beyond it get 500.
class ApiDouble {
 public:
  explicit ApiDouble(net::Loop& loop, Certificates certificates = Certificates::make());

  void add(Step step) { script_.push_back(std::move(step)); }
  bool done() const { return script_.empty(); }
  net::Address address() const { return server_->address(); }
  /// With a token "first" unless a test changes it.
  ClusterAccess access() const;

  struct Seen {
    std::string line;  ///< "GET /api/v1/configmaps?..."
    std::string authorization, content_type, body;
    TimePoint when;
  };
  const std::vector<Seen>& seen() const { return seen_; }
  /// What did not match its step; a test wants it empty.
  const std::string& surprises() const { return surprises_; }

 private:
  net::Task<void> handle(http::ServerExchange& exchange);
  net::Task<void> play(http::ServerExchange& exchange, Step step);

  net::Loop& loop_;
  Certificates certificates_;
  std::deque<Step> script_;
  std::vector<Seen> seen_;
  std::string surprises_;
  std::unique_ptr<http::Server> server_;
};

/// Bodies as an API server writes them.
std::string config_map_json(const std::string& name, int version, const std::string& extra = "");
std::string list_json(int version, const std::vector<std::string>& items, const std::string& next = "");
std::string event_json(const std::string& type, const std::string& object);
/// What happened to the ConfigMap of that name, as one line of a watch.
std::string added(const std::string& name, int version);
std::string modified(const std::string& name, int version);
std::string deleted(const std::string& name, int version);
std::string bookmark_json(int version);
std::string status_json(int code, const std::string& reason, const std::string& message,
                        const std::string& details = "{}");

}  // namespace weft::store::testing
