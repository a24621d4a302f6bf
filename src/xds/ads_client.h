#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/random.h"
#include "http/grpc/client.h"
#include "net/loop.h"
#include "net/signal.h"
#include "proxy/server.h"
#include "xds/bootstrap.h"
#include "xds/catalog.h"

namespace weft::xds {

struct AdsResponse;

/// A connection to the control plane, and what each stream on it says of itself.
struct ControlConnection {
  std::unique_ptr<http::grpc::Client> client;
  std::string authority;
  http::Headers metadata = {};
};

/// ADS, by delta or state of the world: asks a control plane for clusters, endpoints, listeners and routes
/// over one stream, applies what comes, and acknowledges when every worker runs it. What is rejected goes
/// back with the reason, and the last good version stays. A broken stream changes nothing that runs: it is
/// made again after a growing back-off with jitter. A control plane that does not know delta is asked for
/// state of the world then.
///
/// Owner: the proxy's main; `server` and `catalog` must outlive it. Thread: the main loop. How it ends: the
/// destructor.
class AdsClient {
 public:
  struct Options {
    AdsSource source;
    std::string node;  ///< serialized
    std::uint32_t socket_mark = 0;
    /// Makes each connection, instead of a plain one to `source.address`. An error is tried again after
    /// the back-off.
    std::function<net::Task<Result<ControlConnection>>()> connect = {};
    Random random = {};  ///< of the back-off's jitter
  };
  AdsClient(net::Loop& loop, proxy::Server& server, Catalog& catalog, Options options);
  void start();
  /// Takes one response as it came; public for tests of the protocol, which need no stream.
  void received(const std::string& bytes);
  /// The requests that wait to be sent, serialized; emptied by the call. For tests, as received().
  std::vector<std::string> take_requests();
  /// A stream has begun: everything is asked for again.
  void connected();
  bool is_connected() const { return connected_; }
  /// What the server has not got yet that it needs to be ready; empty when it has all. One line for people.
  std::string missing() const;
  std::uint64_t updates() const { return updates_; }
  std::uint64_t rejections() const { return rejections_; }
  const std::string& version(Type type) const { return types_[index_of(type)].version; }

 private:
  struct Acknowledgement {
    Type type;
    std::string version, nonce, error;
    std::vector<std::string> again;  ///< delta: what has to be sent whole
    std::uint64_t stream = 0;        ///< that the response came over
    bool names_all = true;           ///< each resource that was rejected is in `error`
    /// Each resource is named, since the control plane takes those that are not for accepted. Of too many to
    /// name none is: then any of them may be meant.
    void reject(std::string_view name, std::string_view reason);
  };
  struct State {
    std::string version, nonce;
    Catalog::NamesPtr names;                                 ///< asked for last; null: none, or all there are
    BytesPtr model = std::make_shared<const std::string>();  ///< by which new resources are packed
    bool asked = false;
    bool owed = false;      ///< the response with `nonce` is not answered yet
    bool taken = false;     ///< a response has been answered, accepted or not
    bool rejected = false;  ///< something of the last one was not accepted
  };
  State& of(Type type) { return types_[index_of(type)]; }
  const State& of(Type type) const { return types_[index_of(type)]; }
  bool is_asked_for(Type type) const;
  net::Task<void> run();
  net::Task<Result<void>> stream_once();
  net::Task<Result<ControlConnection>> connect();
  net::Task<Result<void>> read_all(http::grpc::MessageStream& stream);
  net::Task<Result<void>> write_all(http::grpc::MessageStream& stream);
  /// Accepts or rejects each of a response's resources; `acknowledgement` gets what is said of them.
  void take(const AdsResponse& response, Acknowledgement& acknowledgement);
  Packer packer_for(const AdsResponse& response, Type type);
  void subscribe();
  void send(Type type, const std::string& nonce, const std::string& error,
            const std::vector<std::string>& again = {});
  /// Applies what has come, if anything has and nothing is being applied already.
  void advance();
  void applied(Result<void> result, std::vector<Acknowledgement> acknowledgements);
  void apply_again_later(std::vector<Acknowledgement> acknowledgements);
  void blame(const Catalog::Blamed& blamed, const std::string& reason,
             std::vector<Acknowledgement>& acknowledgements);
  void acknowledge(const std::vector<Acknowledgement>& acknowledgements);
  void check_ready();

  net::Loop& loop_;
  proxy::Server& server_;
  Catalog& catalog_;
  Options options_;
  bool delta_;  ///< as the next stream goes, or the present one
  PerType<State> types_;
  std::vector<Acknowledgement> waiting_;  ///< responses taken and not yet applied
  std::deque<std::string> outgoing_;
  bool applying_ = false, connected_ = false, node_sent_ = false;
  bool advance_due_ = false;  ///< something came, or its time did, while an earlier one is applied
  std::uint64_t updates_ = 0, rejections_ = 0, streams_ = 0;
  std::string last_failure_;
  Random random_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  net::Timer deadline_;
  Backoff apply_backoff_;  ///< before what failed, and nothing is to blame for, is applied again
  net::Signal wake_writer_;
  net::TaskScope tasks_;
};

}  // namespace weft::xds
