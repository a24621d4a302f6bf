#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/address.h"
#include "net/loop.h"

namespace weft::proxy {

/// Resolves names on a thread of its own, which exists once the first name is asked for: the C library's
/// resolver blocks, and reads what the machine is configured with (hosts, resolv.conf, nsswitch).
///
/// Owner: a worker. Thread: the worker's loop; answers come there.
/// How it ends: the destructor waits for the name being resolved.
class DnsResolver {
 public:
  using Answer = std::function<void(Result<std::vector<net::Address>>)>;
  explicit DnsResolver(net::Loop& loop) : loop_(loop) {}
  ~DnsResolver();
  void resolve(std::string host, std::uint16_t port, Answer answer);

 private:
  struct Question {
    std::string host;
    std::uint16_t port;
    Answer answer;
  };
  void run();

  net::Loop& loop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Question> questions_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace weft::proxy
