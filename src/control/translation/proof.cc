#include "control/translation/proof.h"

#include "base/log.h"
#include "control/translation/messages.h"
#include "control/translation/route_builder.h"
#include "xds/resource.h"

namespace weft::control {
namespace {

constexpr std::uint32_t kClosedStatus = 500;
constexpr const char* kClosedBody =
    "This route cannot be served as configured; the object's status says why.\n";

bool is_sound(const route::Route& made) {
  route::RouteConfiguration table;
  set_route_table_options(table, "one");
  auto& host = *table.add_virtual_hosts();
  host.add_domains("*");
  *host.add_routes() = made;
  return complaints_of(Type::kRoute, serialize(table)).empty();
}

/// Responds to whatever `made` would have taken; with less of its match said it takes more.
route::Route closed(const route::Route& made) {
  route::Route answer;
  answer.set_name(made.name());
  *answer.mutable_match() = made.match();
  answer.mutable_direct_response()->set_status(kClosedStatus);
  answer.mutable_direct_response()->mutable_body()->set_inline_string(kClosedBody);
  if (is_sound(answer)) return answer;
  answer.mutable_match()->clear_headers();
  answer.mutable_match()->clear_query_parameters();
  if (is_sound(answer)) return answer;
  answer.mutable_match()->Clear();
  answer.mutable_match()->set_prefix("/");
  return answer;
}

std::string table_of(const route::VirtualHost& host) {
  route::RouteConfiguration table;
  set_route_table_options(table, "one");
  *table.add_virtual_hosts() = host;
  return serialize(table);
}

void tell(Type type, const std::string& name, const std::vector<std::string>& complaints) {
  for (const std::string& complaint : complaints)
    WEFT_LOG(kError, "control", "no proxy would accept this; it is left out", {"type", short_name(type)},
             {"name", name}, {"reason", complaint});
}

/// Null when nothing of it can be kept.
HostPiecePtr repaired(route::VirtualHost host) {
  for (route::Route& made : *host.mutable_routes())
    if (!is_sound(made)) made = closed(made);
  std::set<std::string> seen;
  keep_unique_domains(host, seen);
  if (!complaints_of(Type::kRoute, table_of(host)).empty()) return nullptr;
  return std::make_shared<const HostPiece>(make_piece(host));
}

}  // namespace

std::vector<std::string> complaints_of(Type type, const std::string& bytes) {
  const auto converted = xds::decode(type, bytes);
  if (!converted) return {converted.error().text};
  return (*converted)->rejected.all();
}

template <class T>
const Proof::Known<T>* Proof::Memory<T>::find(std::string_view bytes) const {
  const auto found = known.find(bytes);
  return found == known.end() ? nullptr : &found->second;
}

template <class T>
const Proof::Known<T>& Proof::Memory<T>::add(Known<T> made) {
  constexpr std::size_t kFewest = 1000;
  if (++added > kFewest + known.size() / 2) {
    added = 0;
    std::erase_if(known, [](const auto& entry) {
      const Known<T>& each = entry.second;
      return each.from.use_count() == (each.sound == each.from ? 2 : 1) &&
             (!each.sound || each.sound == each.from || each.sound.use_count() == 1);
    });
  }
  const std::string_view bytes = made.from->bytes;
  return known.emplace(bytes, std::move(made)).first->second;
}

ResourcePtr successor(Type type, const ResourcePtr& before, const ResourcePtr& made, Proof* proof) {
  if (same(before, made)) return before;
  return proof ? proof->sound(type, made) : made;
}

ResourcePtr Proof::sound(Type type, const ResourcePtr& resource) {
  if (type == Type::kRoute) return resource;
  Memory<Resource>& memory = resources_[index_of(type)];
  if (const auto* known = memory.find(resource->bytes)) return known->sound;
  const auto complaints = complaints_of(type, resource->bytes);
  tell(type, resource->name, complaints);
  return memory.add({resource, complaints.empty() ? resource : nullptr}).sound;
}

HostPiecePtr Proof::sound(const route::VirtualHost& host) {
  auto made = std::make_shared<const HostPiece>(make_piece(host));
  if (const auto* known = hosts_.find(made->bytes)) return known->sound;
  const auto complaints = complaints_of(Type::kRoute, table_of(host));
  tell(Type::kRoute, host.name(), complaints);
  return hosts_.add({made, complaints.empty() ? made : repaired(host)}).sound;
}

std::size_t Proof::size() const {
  std::size_t sum = hosts_.known.size();
  for (const auto& memory : resources_) sum += memory.known.size();
  return sum;
}

}  // namespace weft::control
