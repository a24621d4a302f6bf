#include "pod/testing/name_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace weft::pod::testing {

std::string dns_question(const std::string& name, unsigned char id) {
  std::string made = {static_cast<char>(id), 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  made += static_cast<char>(name.size());
  return made + name + std::string("\0\0\1\0\1", 5);
}

std::string NameServer::response_to(std::string question) {
  question[2] = static_cast<char>(0x81);
  question[3] = static_cast<char>(0x80);
  question[7] = 1;
  return question + std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2\3", 16);
}

/// The port that TCP was given may be taken by another program's UDP.
bool NameServer::bind(net::Loop& loop) {
  listener_ = std::move(*net::Listener::listen(loop, *net::Address::parse_ip("127.0.0.1", 0)));
  const net::Address at = address();
  return ::bind(fd_.get(), at.data(), at.size()) == 0;
}

NameServer::NameServer(net::Loop& loop)
    : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  bool bound = false;
  for (int attempt = 0; attempt < 20 && !bound; ++attempt) bound = bind(loop);
  EXPECT_TRUE(bound);
  EXPECT_TRUE(watch_.start(loop, fd_.get(), *this));
  tasks_.spawn(accept());
}

void NameServer::on_ready(Ready) {
  for (;;) {
    char question[512];
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    auto* const sender = reinterpret_cast<sockaddr*>(&from);
    const ssize_t got = ::recvfrom(fd_.get(), question, sizeof question, 0, sender, &length);
    if (got < 0) return;
    asked.emplace_back(question, static_cast<std::size_t>(got));
    if (silent || loses-- > 0) continue;
    std::vector<std::string> messages = before_response;
    messages.push_back(response_to(asked.back()));
    for (const std::string& each : messages)
      EXPECT_GE(::sendto(fd_.get(), each.data(), each.size(), 0, sender, length), 0);
  }
}

net::Task<void> NameServer::accept() {
  for (;;) {
    auto client = co_await listener_->accept();
    if (!client) co_return;
    tasks_.spawn(serve(std::move(*client)));
  }
}

net::Task<void> NameServer::serve(std::unique_ptr<net::Socket> client) {
  std::string message, block(512, '\0');
  while (message.size() < 2 || message.size() < 2u + static_cast<unsigned char>(message[1])) {
    const net::IoResult got = co_await client->read(block);
    if (!got.ok()) co_return;
    message.append(block, 0, got.bytes);
  }
  asked.push_back(message.substr(2));
  while (silent) co_await client->loop().sleep(5ms);
  const std::string response = response_to(asked.back());
  const std::string framed = std::string(1, '\0') + static_cast<char>(response.size()) + response;
  co_await client->write(framed);
}

}  // namespace weft::pod::testing
