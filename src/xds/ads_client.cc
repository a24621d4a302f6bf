#include "xds/ads_client.h"

#include "base/log.h"
#include "xds/proto/discovery.pb.h"

namespace weft::xds {
namespace {

namespace discovery = envoy::service::discovery::v3;

constexpr std::string_view kPath =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
constexpr std::chrono::milliseconds kFirstPause{50};
constexpr std::chrono::milliseconds kLongestPause{10'000};
constexpr int kInvalidArgument = 3;

std::optional<Type> type_of(std::string_view url) {
  for (const Type type : kAllTypes)
    if (type_url(type) == url) return type;
  return std::nullopt;
}

/// Kinds of which a response is everything there is; of the others it is what was named.
bool is_complete(Type type) { return type == Type::kCluster || type == Type::kListener; }

}  // namespace

AdsClient::AdsClient(net::Loop& loop, proxy::Server& server, Catalog& catalog, Options options)
    : loop_(loop),
      server_(server),
      catalog_(catalog),
      options_(std::move(options)),
      random_(options_.random),
      deadline_(loop, [this] { advance(); }),
      wake_writer_(loop) {}

void AdsClient::start() { tasks_.spawn(run()); }

net::Task<void> AdsClient::run() {
  std::chrono::milliseconds pause = kFirstPause;
  for (;;) {
    const std::uint64_t before = updates_;
    const Result<void> ended = co_await stream_once();
    connected_ = false;
    last_failure_ = ended ? "closed" : ended.error().text;
    if (updates_ != before) pause = kFirstPause;
    WEFT_LOG(kWarn, "ads", "no stream to the control plane; going on with what is there",
             {"error", last_failure_}, {"pause-ms", static_cast<long long>(pause.count())});
    const auto jitter = std::chrono::milliseconds(random_.below(static_cast<std::uint64_t>(pause.count())));
    co_await loop_.sleep(pause / 2 + jitter);
    pause = std::min(pause * 2, kLongestPause);
  }
}

net::Task<Result<ControlConnection>> AdsClient::connect() {
  if (options_.connect) co_return co_await options_.connect();
  const TimePoint deadline = loop_.now() + options_.source.connect_timeout;
  ControlConnection made;
  WEFT_CO_TRY(made.client,
              co_await http::grpc::Client::connect(loop_, options_.source.address,
                                                   {.deadline = deadline, .mark = options_.socket_mark}));
  made.authority = options_.source.authority.empty() ? "control" : options_.source.authority;
  co_return made;
}

net::Task<Result<void>> AdsClient::stream_once() {
  WEFT_CO_TRY(const ControlConnection connection, co_await connect());
  auto stream = connection.client->open(kPath, connection.authority, connection.metadata);
  connected();
  co_return co_await net::both(read_all(*stream), write_all(*stream));
}

net::Task<Result<void>> AdsClient::read_all(http::grpc::MessageStream& stream) {
  for (;;) {
    WEFT_CO_TRY(const std::string message, co_await stream.read());
    connected_ = true;
    received(message);
  }
}

net::Task<Result<void>> AdsClient::write_all(http::grpc::MessageStream& stream) {
  for (;;) {
    while (!outgoing_.empty()) {
      const std::string message = std::move(outgoing_.front());
      outgoing_.pop_front();
      WEFT_CO_CHECK(co_await stream.write(message));
    }
    co_await wake_writer_.wait();
  }
}

std::vector<std::string> AdsClient::take_requests() {
  std::vector<std::string> requests(outgoing_.begin(), outgoing_.end());
  outgoing_.clear();
  return requests;
}

void AdsClient::connected() {
  outgoing_.clear();
  waiting_.clear();
  node_sent_ = false;
  ++streams_;
  for (State& state : types_) {
    state.nonce.clear();
    state.asked = state.owed = false;
  }
  for (const Type type : kAllTypes) {
    if (type == Type::kCluster && !options_.source.clusters) continue;
    if (type == Type::kListener && !options_.source.listeners) continue;
    if (!is_complete(type)) of(type).names = catalog_.wanted(type);
    if (is_complete(type) || !of(type).names.empty()) send(type, {}, {});
  }
}

void AdsClient::send(Type type, const std::string& nonce, const std::string& error) {
  State& state = of(type);
  state.asked = true;
  if (!is_complete(type)) state.names = catalog_.wanted(type);
  discovery::DiscoveryRequest request;
  request.set_type_url(std::string(type_url(type)));
  request.set_version_info(state.version);
  request.set_response_nonce(nonce);
  for (const std::string& name : state.names) request.add_resource_names(name);
  if (!std::exchange(node_sent_, true)) request.mutable_node()->ParseFromString(options_.node);
  if (!error.empty()) {
    request.mutable_error_detail()->set_code(kInvalidArgument);
    request.mutable_error_detail()->set_message(error);
  }
  outgoing_.push_back(request.SerializeAsString());
  wake_writer_.notify();
}

void AdsClient::received(const std::string& bytes) {
  discovery::DiscoveryResponse response;
  const std::optional<Type> type =
      response.ParseFromString(bytes) ? type_of(response.type_url()) : std::nullopt;
  if (!type) {
    WEFT_LOG(kWarn, "ads", "a response of a type that was not asked for", {"type", response.type_url()});
    return;
  }
  State& state = of(*type);
  state.nonce = response.nonce();
  state.owed = true;
  ++updates_;
  Answer answer{*type, response.version_info(), response.nonce(), {}, streams_};
  std::set<std::string> names;
  for (const auto& any : response.resources()) {
    const std::string name = name_in(*type, any.value());
    auto reject = [&](const std::string& why) {
      const std::string reason = std::string(short_name(*type)) + " '" + name + "': " + why;
      catalog_.refuse(*type, name,
                      {reason, response.version_info(), any.value(), std::chrono::system_clock::now()});
      answer.error += (answer.error.empty() ? "" : "; ") + reason;
    };
    if (!names.insert(name).second) {
      reject("is there twice in one response");
      continue;
    }
    const auto known = catalog_.accepted(*type).find(name);
    // The same bytes are the same resource: what did not change keeps its pools and its compiled form.
    if (known != catalog_.accepted(*type).end() && known->second->bytes == any.value()) {
      catalog_.put(*type, ResourcePtr(known->second));
      continue;
    }
    auto decoded = decode(*type, any.value());
    if (!decoded) {
      reject(decoded.error().text);
      continue;
    }
    for (const std::string& part : (*decoded)->rejected)
      WEFT_LOG(kWarn, "ads", "a part of a resource cannot be done and answers with an error",
               {"type", short_name(*type)}, {"name", name}, {"reason", part});
    (*decoded)->version = response.version_info();
    (*decoded)->updated = std::chrono::system_clock::now();
    catalog_.put(*type, std::move(*decoded));
  }
  if (is_complete(*type)) catalog_.keep_only(*type, names);
  catalog_.follow_references(loop_.now());
  waiting_.push_back(std::move(answer));
  subscribe();
  advance();
}

/// Asks for the endpoints and routes that are wanted now, when they are others than before. A request carries
/// the newest nonce and so speaks of the newest response: while that is not answered, its answer has to do.
void AdsClient::subscribe() {
  for (const Type type : {Type::kEndpoint, Type::kRoute}) {
    State& state = of(type);
    std::set<std::string> names = catalog_.wanted(type);
    if (state.owed || names == state.names) continue;
    state.names = std::move(names);
    if (!state.names.empty() || state.asked) send(type, state.nonce, {});
  }
}

void AdsClient::advance() {
  if (applying_) return;
  const TimePoint next = catalog_.next_deadline(loop_.now());
  deadline_.arm(next);
  proxy::SnapshotPtr snapshot = catalog_.build(loop_.now());
  std::vector<Answer> answers = std::exchange(waiting_, {});
  if (!snapshot) {
    answer(answers);
    check_ready();
    return;
  }
  applying_ = true;
  server_.apply(std::move(snapshot), [this, alive = std::weak_ptr<char>(alive_),
                                      answers = std::move(answers)](Result<void> result) mutable {
    if (!alive.expired()) applied(std::move(result), std::move(answers));
  });
}

void AdsClient::applied(Result<void> result, std::vector<Answer> answers) {
  applying_ = false;
  bool more = !waiting_.empty();
  if (result) {
    catalog_.commit();
  } else {
    for (const Catalog::Blamed& blamed : catalog_.reject(result.error().text)) {
      more = true;
      blame(blamed, result.error().text, answers);
    }
    WEFT_LOG(kWarn, "ads", "a configuration could not be applied", {"error", result.error().text});
  }
  catalog_.follow_references(loop_.now());
  answer(answers);
  subscribe();
  check_ready();
  if (more || catalog_.warming(loop_.now()))
    loop_.defer([this, alive = std::weak_ptr<char>(alive_)] {
      if (!alive.expired()) advance();
    });
}

/// What had been acknowledged while it was warming, and then could not be done, is refused afterwards.
void AdsClient::blame(const Catalog::Blamed& blamed, const std::string& reason,
                      std::vector<Answer>& answers) {
  const std::string error = std::string(short_name(blamed.type)) + " '" + blamed.name + "': " + reason;
  bool answered = false;
  for (Answer& one : answers) {
    if (one.type != blamed.type) continue;
    answered = true;
    if (one.error.empty()) one.error = error;
  }
  const State& state = of(blamed.type);
  // A newer response that is still to be looked at has an acknowledgement of its own.
  if (!answered && !state.nonce.empty() && !state.owed)
    answers.push_back({blamed.type, state.version, state.nonce, error, streams_});
}

void AdsClient::answer(const std::vector<Answer>& answers) {
  for (const Answer& one : answers) {
    of(one.type).taken = true;
    of(one.type).rejected = !one.error.empty();
    if (one.error.empty()) {
      of(one.type).version = one.version;
    } else {
      ++refusals_;
      WEFT_LOG(kWarn, "ads", "rejected", {"type", short_name(one.type)}, {"version", one.version},
               {"reason", one.error});
    }
    // Only the newest response of a kind is spoken of: an answer to an older one would be read as one to it.
    // Another stream may use the same nonces.
    if (one.stream != streams_ || one.nonce != of(one.type).nonce) continue;
    of(one.type).owed = false;
    send(one.type, one.nonce, one.error);
  }
}

std::string AdsClient::missing() const {
  for (const Type type : {Type::kCluster, Type::kListener}) {
    const bool wanted = type == Type::kCluster ? options_.source.clusters : options_.source.listeners;
    const State& state = types_[static_cast<std::size_t>(type)];
    // What is rejected is said, and what else there is serves. A type of which nothing is in force does not.
    const bool some = !state.rejected || !catalog_.running(type).empty();
    if (!wanted || (state.taken && some)) continue;
    if (state.taken) return "every " + std::string(short_name(type)) + " resource was rejected";
    if (connected_) return std::string(short_name(type)) + " has not come from the control plane yet";
    return "no connection to the control plane yet" + (last_failure_.empty() ? "" : ": " + last_failure_);
  }
  if (applying_ || !waiting_.empty()) return "the workers do not run the configuration yet";
  if (catalog_.warming(loop_.now())) return "routes or endpoints have not come from the control plane yet";
  return {};
}

/// Ready once what was asked for first has come, with all that it needs, and runs.
void AdsClient::check_ready() {
  if (!server_.ready() && missing().empty()) server_.set_ready(true);
}

}  // namespace weft::xds
