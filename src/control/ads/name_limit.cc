#include "control/ads/name_limit.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

namespace weft::control {
namespace {

constexpr std::size_t kMaxNames = 50'000;
constexpr std::size_t kMaxNameBytes = 2 * 1024 * 1024;
// DiscoveryRequest.resource_names, and resource_names_subscribe of a DeltaDiscoveryRequest.
constexpr std::uint32_t kNamesField = 3;

}  // namespace

NameCount count_names(std::string_view request) {
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(request.data()),
                                               static_cast<int>(request.size()));
  NameCount count;
  while (const std::uint32_t tag = input.ReadTag()) {
    const int before = input.CurrentPosition();
    if (!google::protobuf::internal::WireFormatLite::SkipField(&input, tag)) break;
    if (tag >> 3 != kNamesField) continue;
    ++count.names;
    count.bytes += static_cast<std::size_t>(input.CurrentPosition() - before);
  }
  return count;
}

std::string complaint_about(const NameCount& count, const ResourceSet* target) {
  std::size_t names = kMaxNames, bytes = kMaxNameBytes;
  if (count.names <= names && count.bytes <= bytes) return {};
  if (target)
    for (const Type type : kAllTypes)
      for (const ResourcePtr& each : (*target)[type]) {
        ++names;
        bytes += each->name.size();
      }
  if (count.names <= names && count.bytes <= bytes) return {};
  return std::to_string(count.names) + " resource names of " + std::to_string(count.bytes) +
         " bytes; the limit is " + std::to_string(names) + " of " + std::to_string(bytes);
}

}  // namespace weft::control
