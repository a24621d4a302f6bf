#include "proxy/upstream/dns_resolver.h"

#include <netdb.h>

namespace weft::proxy {
namespace {

Result<std::vector<net::Address>> look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (status != 0)
    return fail(Error::upstream(Code::kNotFound, Retry::kNever,
                                "cannot resolve '" + host + "': " + gai_strerror(status)));
  std::vector<net::Address> addresses;
  for (const addrinfo* one = found; one; one = one->ai_next)
    addresses.push_back(net::Address::from(one->ai_addr, one->ai_addrlen).with_port(port));
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

DnsResolver::~DnsResolver() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void DnsResolver::resolve(std::string host, std::uint16_t port, Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    questions_.push_back({std::move(host), port, std::move(answer)});
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_one();
}

void DnsResolver::run() {
  for (;;) {
    Question question;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !questions_.empty(); });
      if (stopping_) return;
      question = std::move(questions_.front());
      questions_.pop_front();
    }
    auto addresses =
        std::make_shared<Result<std::vector<net::Address>>>(look_up(question.host, question.port));
    loop_.post([answer = std::move(question.answer), addresses] { answer(std::move(*addresses)); });
  }
}

}  // namespace weft::proxy
