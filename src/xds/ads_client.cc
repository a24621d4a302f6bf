#include "xds/ads_client.h"

#include <algorithm>
#include <iterator>

#include "base/log.h"
#include "xds/ads_messages.h"
#include "xds/proto/core.pb.h"

namespace weft::xds {
namespace {

constexpr std::string_view kPath =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
constexpr std::string_view kDeltaPath =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
constexpr Backoff::Limits kBackoff{50ms, 10s}, kApplyBackoff{100ms, 10s};
constexpr std::size_t kMaxErrorBytes = 16 * 1024;
/// The first response with so many resources has a model for all that come.
constexpr std::size_t kMany = 16;
constexpr std::size_t kMaxModelBytes = 4 * 1024;

bool is_change(const AdsResponse::Item& item) { return item.type_url == kTableChangeUrl; }

/// What came; `known` itself when that came as the same message: what did not change keeps its pools and its
/// compiled form. `arrival`, `packer`: those of its response.
Result<ResourcePtr> resource_of(Type type, const AdsResponse::Item& item, const ResourcePtr& known,
                                const std::shared_ptr<const Arrival>& arrival, Packer& packer) {
  if (known && !known->hosts && !is_change(item) && known->bytes == item.value) return known;
  WEFT_TRY(const auto decoded, is_change(item)
                                   ? decode_change(item.value, known.get(), item.version)
                                   : decode(type, item.value, known.get(), item.version, &packer));
  // One that the control plane calls by another form's name is what its next change is made against.
  if (known && decoded->is_same_form(*known) && decoded->is_same_message(*known)) return known;
  for (const std::string& part : decoded->rejected)
    WEFT_LOG(kWarn, "ads", "a part of a resource cannot be done and answers with an error",
             {"type", short_name(type)}, {"name", decoded->name()}, {"reason", part});
  decoded->arrival = arrival;
  return ResourcePtr(decoded);
}

/// What one has and the other has not.
std::vector<std::string_view> names_without(const Catalog::NamesPtr& names, const Catalog::NamesPtr& others) {
  if (!names) return {};
  if (!others) return names->list();
  std::vector<std::string_view> left;
  if (names != others) std::ranges::set_difference(names->list(), others->list(), std::back_inserter(left));
  return left;
}

std::string with_features(const std::string& node) {
  envoy::config::core::v3::Node made;
  made.ParseFromString(node);
  made.add_client_features(std::string(kTableChangeFeature));
  return made.SerializeAsString();
}

}  // namespace

AdsClient::AdsClient(net::Loop& loop, proxy::Server& server, Catalog& catalog, Options options)
    : loop_(loop),
      server_(server),
      catalog_(catalog),
      options_(std::move(options)),
      delta_(options_.source.delta),
      random_(options_.random),
      deadline_(loop, [this] { advance(); }),
      apply_backoff_(kApplyBackoff),
      wake_writer_(loop) {}

void AdsClient::start() { tasks_.spawn(run()); }

net::Task<void> AdsClient::run() {
  for (Backoff backoff(kBackoff);;) {
    const std::uint64_t before = updates_;
    const Result<void> ended = co_await stream_once();
    // The one that comes next may be a newer one that knows delta.
    if (std::exchange(connected_, false)) delta_ = options_.source.delta;
    last_failure_ = ended ? "closed" : ended.error().text;
    if (updates_ != before) backoff.reset();
    const Duration delay = backoff.next(random_);
    WEFT_LOG(kWarn, "ads", "no stream to the control plane; going on with what is there",
             {"error", last_failure_},
             {"retry-in-ms",
              static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(delay).count())});
    co_await loop_.sleep(delay);
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
  auto stream =
      connection.client->open(delta_ ? kDeltaPath : kPath, connection.authority, connection.metadata);
  connected();
  co_return co_await net::both(read_all(*stream), write_all(*stream));
}

net::Task<Result<void>> AdsClient::read_all(http::grpc::MessageStream& stream) {
  for (;;) {
    const Result<std::string> message = co_await stream.read();
    // A control plane from before delta: the next stream is one that it knows.
    if (!message && message.error().code == Code::kUnsupported && !connected_) delta_ = false;
    if (!message) co_return fail(message.error());
    connected_ = true;
    received(*message);
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
    state.names = nullptr;
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

/// `again`: asked for already, and to be sent whole.
void AdsClient::send(Type type, const std::string& nonce, const std::string& error,
                     const std::vector<std::string>& again) {
  State& state = of(type);
  const ResourceType& row = row_of(type);
  AdsRequest request{.type = type, .nonce = nonce, .error = error, .version = state.version};
  const Catalog::NamesPtr names = row.complete ? nullptr : catalog_.wanted(type);
  if (!delta_ && names) request.names = names->list();
  if (delta_) {
    request.names = names_without(names, state.names);
    request.not_names = names_without(state.names, names);
    request.names.insert(request.names.end(), again.begin(), again.end());
    if (!state.asked && row.complete) {
      for (const ResourcePtr& each : catalog_.accepted(type)) request.known.push_back(each->name());
      for (const auto& [name, rejection] : catalog_.rejections(type)) request.known.push_back(name);
    }
  }
  std::string node;
  if (!std::exchange(node_sent_, true)) request.node = node = with_features(options_.node);
  outgoing_.push_back(to_bytes(request, delta_));
  state.asked = true;
  state.names = names;
  wake_writer_.notify();
}

void AdsClient::received(const std::string& bytes) {
  const std::optional<AdsResponse> read = read_response(bytes, delta_);
  const std::optional<Type> type = read ? type_of(read->type_url) : std::nullopt;
  if (!type) {
    WEFT_LOG(kWarn, "ads", "a response of a type that was not asked for",
             {"type", read ? read->type_url : ""});
    return;
  }
  State& state = of(*type);
  state.nonce = read->nonce;
  state.owed = true;
  ++updates_;
  Acknowledgement acknowledgement{*type, read->version, state.nonce, {}, {}, streams_};
  take(*read, acknowledgement);
  catalog_.follow_references(loop_.now());
  waiting_.push_back(std::move(acknowledgement));
  subscribe();
  advance();
}

/// By the longest of many: it says most of what the others say. Route tables pack their own hosts.
Packer AdsClient::packer_for(const AdsResponse& response, Type type) {
  BytesPtr& model = of(type).model;
  if (model->empty() && response.resources.size() >= kMany && type != Type::kRoute) {
    std::string_view longest;
    for (const AdsResponse::Item& item : response.resources)
      if (item.value.size() > longest.size() && item.value.size() <= kMaxModelBytes) longest = item.value;
    model = std::make_shared<const std::string>(longest);
  }
  return Packer(model);
}

void AdsClient::take(const AdsResponse& response, Acknowledgement& acknowledgement) {
  const Type type = acknowledgement.type;
  Catalog::NameSet names;
  std::vector<ResourcePtr> changed;
  const auto arrival =
      std::make_shared<const Arrival>(Arrival{acknowledgement.version, std::chrono::system_clock::now()});
  Packer packer = packer_for(response, type);
  for (const AdsResponse::Item& item : response.resources) {
    const std::string_view name = is_change(item) ? item.name : name_in(type, item.value);
    auto reject = [&](const std::string& why) {
      const std::string reason = std::string(short_name(type)) + " '" + std::string(name) + "': " + why;
      catalog_.reject(type, name, {reason, acknowledgement.version, std::chrono::system_clock::now()});
      acknowledgement.reject(name, why);
    };
    if (!names.insert(name).second) {
      reject("is there twice in one response");
      continue;
    }
    const ResourcePtr known = catalog_.accepted(type).find(name);
    Result<ResourcePtr> taken = resource_of(type, item, known, arrival, packer);
    if (!taken) {
      reject(taken.error().text);
      // It is not known what of it would have been new.
      if (is_change(item)) acknowledgement.again.emplace_back(name);
    } else if (*taken == known) {
      catalog_.confirm(type, name);
    } else {
      changed.push_back(std::move(*taken));
    }
  }
  catalog_.put(type, std::move(changed));
  if (!row_of(type).complete) return;
  if (delta_)
    catalog_.drop(type, {response.removed.begin(), response.removed.end()});
  else
    catalog_.keep_only(type, names);
}

/// Asks for the endpoints and routes that are wanted now, when they are others than before. A request of a
/// stream that is not delta carries the newest nonce and so speaks of the newest response: while that is not
/// acknowledged, its acknowledgement has to do.
void AdsClient::subscribe() {
  for (const ResourceType& row : kResourceTypes) {
    if (row.complete) continue;
    State& state = of(row.type);
    if (state.owed) continue;
    const Catalog::NamesPtr names = catalog_.wanted(row.type);
    const bool same = state.names ? names == state.names || *names == *state.names : names->list().empty();
    if (same)
      state.names = names;
    else if (!names->list().empty() || state.asked)
      send(row.type, delta_ ? std::string() : state.nonce, {});
  }
}

void AdsClient::advance() {
  advance_due_ = applying_;
  if (applying_) return;
  const TimePoint next = catalog_.next_deadline(loop_.now());
  deadline_.arm(next);
  proxy::SnapshotPtr snapshot = catalog_.build(loop_.now());
  std::vector<Acknowledgement> acknowledgements = std::exchange(waiting_, {});
  if (!snapshot) {
    acknowledge(acknowledgements);
    check_ready();
    return;
  }
  applying_ = true;
  server_.apply(std::move(snapshot),
                [this, alive = std::weak_ptr<char>(alive_),
                 acknowledgements = std::move(acknowledgements)](Result<void> result) mutable {
                  if (!alive.expired()) applied(std::move(result), std::move(acknowledgements));
                });
}

void AdsClient::applied(Result<void> result, std::vector<Acknowledgement> acknowledgements) {
  applying_ = false;
  bool more = !waiting_.empty(), is_to_blame = false;
  if (result) {
    catalog_.commit();
    apply_backoff_.reset();
  } else {
    for (const Catalog::Blamed& blamed : catalog_.reject(result.error().text)) {
      more = is_to_blame = true;
      blame(blamed, result.error().text, acknowledgements);
    }
    WEFT_LOG(kWarn, "ads", "a configuration could not be applied", {"error", result.error().text});
  }
  if (!result && !is_to_blame) return apply_again_later(std::move(acknowledgements));
  catalog_.follow_references(loop_.now());
  acknowledge(acknowledgements);
  subscribe();
  check_ready();
  if (more || advance_due_ || catalog_.warming(loop_.now()))
    loop_.defer([this, alive = std::weak_ptr<char>(alive_)] {
      if (!alive.expired()) advance();
    });
}

/// What only takes away has nothing that could be rejected for it, and is not acknowledged before it is done.
void AdsClient::apply_again_later(std::vector<Acknowledgement> acknowledgements) {
  waiting_.insert(waiting_.begin(), std::move_iterator(acknowledgements.begin()),
                  std::move_iterator(acknowledgements.end()));
  deadline_.arm(std::min(catalog_.next_deadline(loop_.now()), loop_.now() + apply_backoff_.next()));
}

/// What had been acknowledged while it was warming, and then could not be done, is rejected afterwards.
void AdsClient::blame(const Catalog::Blamed& blamed, const std::string& reason,
                      std::vector<Acknowledgement>& acknowledgements) {
  bool answered = false;
  for (Acknowledgement& one : acknowledgements) {
    if (one.type != blamed.type) continue;
    answered = true;
    one.reject(blamed.name, reason);
  }
  const State& state = of(blamed.type);
  // A newer response that is still to be looked at has an acknowledgement of its own, and may be all that is
  // heard.
  for (Acknowledgement& one : waiting_)
    if (one.type == blamed.type && !blamed.replaced) one.reject(blamed.name, reason);
  if (answered || state.nonce.empty() || state.owed) return;
  acknowledgements.push_back({blamed.type, state.version, state.nonce, {}, {}, streams_});
  acknowledgements.back().reject(blamed.name, reason);
}

void AdsClient::Acknowledgement::reject(std::string_view name, std::string_view reason) {
  if (!names_all) return;
  std::string text = std::string(short_name(type)) + " '" + std::string(name) + "': " + std::string(reason);
  if (!error.empty()) text.insert(0, "; ");
  names_all = error.size() + text.size() <= kMaxErrorBytes;
  if (names_all)
    error += text;
  else
    error = std::string(short_name(type)) + ": more resources are rejected than can be named here";
}

void AdsClient::acknowledge(const std::vector<Acknowledgement>& acknowledgements) {
  for (const Acknowledgement& one : acknowledgements) {
    of(one.type).taken = true;
    of(one.type).rejected = !one.error.empty();
    if (one.error.empty()) {
      of(one.type).version = one.version;
    } else {
      ++rejections_;
      WEFT_LOG(kWarn, "ads", "rejected", {"type", short_name(one.type)}, {"version", one.version},
               {"reason", one.error});
    }
    // Another stream may use the same nonces. Of a stream that is not delta only the newest response of a
    // kind is spoken of: an acknowledgement to an older one would be read as one to it.
    const bool newest = one.nonce == of(one.type).nonce;
    if (one.stream != streams_ || (!delta_ && !newest)) continue;
    if (newest) of(one.type).owed = false;
    send(one.type, one.nonce, one.error, one.again);
  }
}

std::string AdsClient::missing() const {
  for (const ResourceType& row : kResourceTypes) {
    const Type type = row.type;
    const State& state = of(type);
    // What is rejected is said, and what else there is serves. A type of which nothing is applied does not.
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
