#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/loop.h"

struct ares_channeldata;

namespace weft::net {

/// Resolves names without blocking, by c-ares: hosts file and name servers as the machine is configured
/// (resolv.conf, nsswitch.conf), addresses in the order of RFC 6724. Costs nothing until the first name.
///
/// Owner: its user. Thread: the loop's; results come there, never inside resolve(). How it ends: the
/// destructor cancels what is open, and those results do not come.
class DnsResolver {
 public:
  struct Addresses {
    std::vector<Address> list;
    std::chrono::seconds ttl{0};  ///< the shortest of them (RFC 1035 §3.2.1); 0: not said, as by a hosts file
  };
  using Callback = std::function<void(Result<Addresses>)>;
  /// `servers`: "ADDRESS:PORT,…" instead of the machine's.
  explicit DnsResolver(Loop& loop, std::string servers = {});
  DnsResolver(const DnsResolver&) = delete;
  DnsResolver& operator=(const DnsResolver&) = delete;
  ~DnsResolver();

  /// Errors, with the name and the reason: kNotFound (there is no such name, or it has no address),
  /// kUnavailable (no server responded).
  void resolve(std::string host, std::uint16_t port, Callback done);

 private:
  class Socket;
  struct Question;
  Result<void> open();
  void watch(int fd, bool readable, bool writable);
  void arm();
  void time_out();

  Loop& loop_;
  std::string servers_;
  ares_channeldata* channel_ = nullptr;
  std::map<int, std::unique_ptr<Socket>> sockets_;
  Timer timer_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();  ///< results that are on their way look for it
};

}  // namespace weft::net
