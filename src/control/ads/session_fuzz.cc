#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "control/ads/session.h"
#include "xds/proto/discovery.pb.h"

namespace {

using namespace weft::control;

ResourceSetPtr set_of(const std::string& form) {
  ResourceLists lists;
  add(lists, Type::kCluster, {"c", "c" + form, {"e"}});
  add(lists, Type::kEndpoint, {"e", "e" + form});
  add(lists, Type::kListener, {"l", "l" + form, {"table"}});
  add(lists, Type::kRoute, {"table", "r" + form});
  return std::make_shared<const ResourceSet>(to_set(std::move(lists)));
}

/// The texts that matter, by one byte of the input, so that nonces and types fit more often than chance has
/// it.
std::string nonce_of(unsigned char pick, const std::string& last) {
  return pick & 1 ? last : std::to_string(pick);
}

}  // namespace

/// What a proxy says, step by step: a byte for the type and for what it says, one for the nonce, one for the
/// length of the text behind it, which is a name or a reason. Now and then the snapshot changes. The last
/// byte's lowest bit says by which protocol. However a proxy behaves, it costs a bounded number of responses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto protocol = data[size - 1] & 1 ? AdsProtocol::kDelta : AdsProtocol::kStateOfTheWorld;
  std::size_t sent = 0, steps = 0;
  std::string last;
  PushEncoder encoder;
  Session session(
      [&](const Push& push) {
        ++sent;
        last = push.nonce;
        static_cast<void>(encoder.encode(push));
      },
      protocol);
  session.allow_table_changes();
  std::uint64_t generation = 1;
  session.offer(set_of("1"), generation);
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (rest.size() >= 3) {
    const auto what = static_cast<unsigned char>(rest[0]), nonce = static_cast<unsigned char>(rest[1]),
               length = static_cast<unsigned char>(rest[2]);
    const std::string text(rest.substr(3, length));
    rest.remove_prefix(std::min<std::size_t>(3u + length, rest.size()));
    ++steps;
    if (what & 0x80) {
      ++generation;
      session.offer(set_of(std::to_string(generation % 3)), generation);
    }
    const auto say = [&]<class Request>(Request request) {
      request.set_type_url((what & 0x40) ? text : std::string(type_url(kAllTypes[what & 3])));
      request.set_response_nonce(nonce_of(nonce, last));
      if (what & 4) request.mutable_error_detail()->set_message(text);
      const char* const known = (what & 3) == 1 ? "e" : "table";
      if constexpr (requires { request.add_resource_names(text); }) {
        if (what & 8) request.add_resource_names(text);
        if (what & 16) request.add_resource_names(known);
      } else {
        if (what & 8) request.add_resource_names_unsubscribe(text);
        if (what & 16) request.add_resource_names_subscribe(known);
        if (what & 32) (*request.mutable_initial_resource_versions())[text];
      }
      session.on_request(request);
    };
    if (protocol == AdsProtocol::kDelta)
      say(Session::DeltaRequest());
    else
      say(Session::Request());
    WEFT_ASSERT(session.running() <= generation && session.sending() <= generation);
    static_cast<void>(session.rejection_of(generation));
    static_cast<void>(session.runs(generation));
  }
  WEFT_ASSERT(sent <= (steps + 1) * 8);
  return 0;
}
