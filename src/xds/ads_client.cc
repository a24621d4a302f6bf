#include "xds/ads_client.h"

#include "base/log.h"
#include "xds/proto/discovery.pb.h"
#include "xds/wire.h"

namespace weft::xds {
namespace {

namespace discovery = envoy::service::discovery::v3;

constexpr std::string_view kPath =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
constexpr std::chrono::milliseconds kFirstPause{50};
constexpr std::chrono::milliseconds kLongestPause{10'000};
constexpr int kInvalidArgument = 3;

/// A response with the bytes of its resources, which are not copied. Nullopt: it is none.
struct Response {
  discovery::DiscoveryResponse message;  ///< without resources
  std::vector<std::string_view> resources;
};
std::optional<Response> read_response(std::string_view bytes) {
  auto split = split_repeated(bytes, discovery::DiscoveryResponse::kResourcesFieldNumber);
  Response response;
  if (!split || !response.message.ParseFromString(split->rest)) return std::nullopt;
  for (const std::string_view any : split->items) {
    std::string_view value;
    WireReader reader(any);
    for (WireField field; reader.next(field);)
      if (field.number == google::protobuf::Any::kValueFieldNumber && field.length_delimited)
        value = field.value;
    if (!reader.at_end()) return std::nullopt;
    response.resources.push_back(value);
  }
  return response;
}

Result<std::shared_ptr<Resource>> decode_and_tell(Type type, std::string_view name, std::string_view bytes,
                                                  const Resource* before) {
  WEFT_TRY(auto decoded, decode(type, std::string(bytes), before));
  for (const std::string& part : decoded->rejected)
    WEFT_LOG(kWarn, "ads", "a part of a resource cannot be done and answers with an error",
             {"type", short_name(type)}, {"name", name}, {"reason", part});
  return decoded;
}

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
  for (const ResourceType& row : kResourceTypes) {
    if (!is_asked_for(row.type)) continue;
    if (row.complete || !catalog_.wanted(row.type)->list().empty()) send(row.type, {}, {});
  }
}

bool AdsClient::is_asked_for(Type type) const {
  if (type == Type::kCluster) return options_.source.clusters;
  return type != Type::kListener || options_.source.listeners;
}

void AdsClient::send(Type type, const std::string& nonce, const std::string& error) {
  State& state = of(type);
  state.asked = true;
  if (!row_of(type).complete) state.names = catalog_.wanted(type);
  discovery::DiscoveryRequest request;
  request.set_type_url(std::string(type_url(type)));
  request.set_version_info(state.version);
  request.set_response_nonce(nonce);
  if (state.names)
    for (const std::string_view name : state.names->list())
      request.add_resource_names(name.data(), name.size());
  if (!std::exchange(node_sent_, true)) request.mutable_node()->ParseFromString(options_.node);
  if (!error.empty()) {
    request.mutable_error_detail()->set_code(kInvalidArgument);
    request.mutable_error_detail()->set_message(error);
  }
  outgoing_.push_back(request.SerializeAsString());
  wake_writer_.notify();
}

void AdsClient::received(const std::string& bytes) {
  const std::optional<Response> read = read_response(bytes);
  const std::optional<Type> type = read ? type_of(read->message.type_url()) : std::nullopt;
  if (!type) {
    WEFT_LOG(kWarn, "ads", "a response of a type that was not asked for",
             {"type", read ? read->message.type_url() : ""});
    return;
  }
  State& state = of(*type);
  state.nonce = read->message.nonce();
  state.owed = true;
  ++updates_;
  Answer answer{*type, read->message.version_info(), state.nonce, {}, streams_};
  take(read->resources, answer);
  catalog_.follow_references(loop_.now());
  waiting_.push_back(std::move(answer));
  subscribe();
  advance();
}

void AdsClient::take(const std::vector<std::string_view>& resources, Answer& answer) {
  Catalog::NameSet names;
  std::vector<ResourcePtr> changed;
  for (const std::string_view bytes : resources) {
    const std::string_view name = name_in(answer.type, bytes);
    auto reject = [&](const std::string& why) {
      const std::string reason =
          std::string(short_name(answer.type)) + " '" + std::string(name) + "': " + why;
      catalog_.refuse(answer.type, name,
                      {reason, answer.version, std::string(bytes), std::chrono::system_clock::now()});
      answer.error += (answer.error.empty() ? "" : "; ") + reason;
    };
    if (!names.insert(name).second) {
      reject("is there twice in one response");
      continue;
    }
    auto known = catalog_.accepted(answer.type).find(name);
    // The same bytes are the same resource: what did not change keeps its pools and its compiled form.
    if (known && known->bytes == bytes) {
      catalog_.confirm(answer.type, name);
      continue;
    }
    auto decoded = decode_and_tell(answer.type, name, bytes, known.get());
    if (!decoded) {
      reject(decoded.error().text);
      continue;
    }
    (*decoded)->version = answer.version;
    (*decoded)->updated = std::chrono::system_clock::now();
    changed.push_back(std::move(*decoded));
  }
  catalog_.put(answer.type, std::move(changed));
  if (row_of(answer.type).complete) catalog_.keep_only(answer.type, names);
}

/// Asks for the endpoints and routes that are wanted now, when they are others than before. A request carries
/// the newest nonce and so speaks of the newest response: while that is not answered, its answer has to do.
void AdsClient::subscribe() {
  for (const ResourceType& row : kResourceTypes) {
    if (row.complete) continue;
    State& state = of(row.type);
    if (state.owed) continue;
    const Catalog::NamesPtr names = catalog_.wanted(row.type);
    const Catalog::NamesPtr before = std::exchange(state.names, names);
    const bool same = before ? names == before || *names == *before : names->list().empty();
    if (!same && (!names->list().empty() || state.asked)) send(row.type, state.nonce, {});
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
  for (const ResourceType& row : kResourceTypes) {
    const Type type = row.type;
    const State& state = of(type);
    // What is rejected is said, and what else there is serves. A type of which nothing is in force does not.
    const bool some = !state.rejected || !catalog_.running(type).empty();
    if (!row.complete || !is_asked_for(type) || (state.taken && some)) continue;
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
