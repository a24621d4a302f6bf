#include "capture/install.h"

#include <linux/netlink.h>

#include <cerrno>

#include "capture/loopback_address.h"
#include "capture/netfilter_message.h"
#include "capture/netlink_exchange.h"
#include "capture/services.h"

namespace weft::capture {
namespace {

Error failure(int number) {
  const auto error = [&](Code code, const std::string& help) {
    return Error::internal(code, "traffic redirection: nf_tables: " + errno_text(number) + help);
  };
  switch (number) {
    case EPERM:
    case EACCES:
      return error(Code::kDenied,
                   " (the capability NET_ADMIN is missing: a container needs it in "
                   "securityContext.capabilities.add)");
    case ENOENT:
    case EPROTONOSUPPORT:
    case EAFNOSUPPORT:
    case EOPNOTSUPP: return error(Code::kUnsupported, " (the kernel needs nf_tables with nat, redir and ct)");
    case EMSGSIZE: return error(Code::kTooLarge, " (the lists of ports and ranges are too long)");
    default: return error(Code::kInternal, "");
  }
}

Result<void> carry_out(const std::string& transaction) {
  const int number = netlink_exchange(NETLINK_NETFILTER, transaction);
  return number == 0 ? Result<void>{} : fail(failure(number));
}

Result<void> make_rules(const std::vector<RuleSet>& sets) { return carry_out(to_netlink(sets)); }

}  // namespace

Result<void> install(const Redirection& redirection) {
  if (redirection.ipv6) WEFT_CHECK(add_loopback_address());
  return make_rules(rules_of(redirection));
}

Result<void> install_services(const std::string& transaction) { return carry_out(transaction); }

Result<void> remove() {
  WEFT_CHECK(make_rules({}));
  return remove_loopback_address();
}

}  // namespace weft::capture
