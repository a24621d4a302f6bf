#include "control/translation/proof.h"

#include <set>

#include "base/log.h"
#include "base/strings.h"
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

/// Answers whatever `made` would have taken; with less of its match said it takes more.
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

/// Each domain stays with the first host that has it, whatever the letter case.
void keep_unique_domains(route::VirtualHost& host, std::set<std::string>& seen) {
  std::vector<std::string> domains;
  for (const std::string& domain : host.domains())
    if (seen.insert(to_lower(domain)).second) domains.push_back(domain);
  host.clear_domains();
  for (std::string& domain : domains) host.add_domains(std::move(domain));
}

std::string repaired_table(const std::string& bytes) {
  route::RouteConfiguration table;
  table.ParseFromString(bytes);
  std::set<std::string> seen;
  route::RouteConfiguration sound = table;
  sound.clear_virtual_hosts();
  for (route::VirtualHost& host : *table.mutable_virtual_hosts()) {
    for (route::Route& made : *host.mutable_routes())
      if (!is_sound(made)) made = closed(made);
    keep_unique_domains(host, seen);
    if (host.domains_size() > 0) *sound.add_virtual_hosts() = std::move(host);
  }
  return serialize(sound);
}

ResourcePtr repaired(Type type, const std::string& name, const ResourcePtr& from) {
  const auto complaints = complaints_of(type, from->bytes);
  if (complaints.empty()) return from;
  for (const std::string& complaint : complaints)
    WEFT_LOG(kError, "control", "no proxy would accept this; it is left out", {"type", short_name(type)},
             {"name", name}, {"reason", complaint});
  if (type != Type::kRoute) return nullptr;
  auto made = std::make_shared<const Resource>(Resource{repaired_table(from->bytes), from->needs});
  return complaints_of(type, made->bytes).empty() ? made : nullptr;
}

}  // namespace

std::vector<std::string> complaints_of(Type type, const std::string& bytes) {
  const auto converted = xds::decode(static_cast<xds::Type>(index_of(type)), bytes);
  if (!converted) return {converted.error().text};
  return (*converted)->rejected;
}

const Proof::Known& Proof::look(Type type, const std::string& name, const ResourcePtr& resource,
                                std::uint64_t generation) {
  auto& known = known_[index_of(type)];
  auto found = known.find(resource->bytes);
  if (found == known.end())
    found = known.emplace(resource->bytes, Known{resource, repaired(type, name, resource), 0}).first;
  found->second.seen = generation;
  return found->second;
}

void Proof::keep_sound(ResourceSet& set, std::uint64_t generation) {
  for (Type type : kAllTypes) {
    for (auto& [name, resource] : set[type]) resource = look(type, name, resource, generation).sound;
    std::erase_if(set[type], [](const auto& entry) { return entry.second == nullptr; });
  }
}

void Proof::forget_before(std::uint64_t generation) {
  for (auto& known : known_)
    std::erase_if(known, [&](const auto& entry) { return entry.second.seen < generation; });
}

std::size_t Proof::size() const {
  std::size_t sum = 0;
  for (const auto& known : known_) sum += known.size();
  return sum;
}

}  // namespace weft::control
