#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "capture/flags.h"
#include "capture/netfilter_message.h"
#include "capture/rules.h"

/// Lines as the values of the flags that a pod's annotations fill: rejected with the value, or rules can be
/// made of them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft::capture;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Flags flags;
  for (std::string* flag :
       {&flags.outbound_ranges, &flags.excluded_outbound_ranges, &flags.inbound_ports,
        &flags.excluded_inbound_ports, &flags.outbound_ports, &flags.excluded_outbound_ports,
        &flags.virtual_interfaces, &flags.excluded_interfaces, &flags.excluded_owner_groups,
        &flags.owner_groups, &flags.users, &flags.groups, &flags.outbound_port, &flags.loopback_range}) {
    if (rest.empty()) break;
    const auto end = rest.find('\n');
    *flag = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
  }
  const auto made = to_redirection(flags);
  if (!made) {
    WEFT_ASSERT(!made.error().text.empty());
    return 0;
  }
  static_cast<void>(to_netlink(rules_of(*made)));
  return 0;
}
