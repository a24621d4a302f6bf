#include "local/name_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "base/strings.h"

namespace weft::local {
namespace {

// RFC 1035 §4.1: sizes, flags of the third and fourth byte, and codes.
constexpr std::size_t kHeader = 12, kMaxLabel = 63, kMaxName = 255, kMaxMessage = 512;
constexpr unsigned kIsResponse = 0x80, kOpcode = 0x78, kAuthoritative = 0x04, kRecursionDesired = 0x01;
constexpr unsigned kNotThere = 3, kNotDone = 4;
constexpr std::uint16_t kTypeA = 1, kTypeSrv = 33, kAnyType = 255, kInternet = 1;
constexpr std::string_view kNameOfQuestion = "\xc0\x0c";  // a pointer to byte 12 (§4.1.4)
constexpr std::uint16_t kSeconds = 5;                     // endpoints come and go
constexpr std::string_view kDomain[] = {"svc", "cluster", "local"};
constexpr int kMaxAtOnce = 64;

unsigned byte_at(std::string_view message, std::size_t at) { return static_cast<unsigned char>(message[at]); }
std::uint16_t number_at(std::string_view message, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(message, at) << 8 | byte_at(message, at + 1));
}

struct Question {
  std::vector<std::string> labels;  ///< in lower case
  std::uint16_t type = 0, of_class = 0;
  std::string_view bytes;  ///< name, type and class
};

std::optional<Question> read_question(std::string_view message) {
  if (message.size() < kHeader || (byte_at(message, 2) & kIsResponse) != 0 || number_at(message, 4) != 1)
    return std::nullopt;
  Question question;
  std::size_t at = kHeader;
  for (;;) {
    if (at >= message.size() || at - kHeader > kMaxName) return std::nullopt;
    const std::size_t length = byte_at(message, at++);
    if (length == 0) break;
    if (length > kMaxLabel || length > message.size() - at) return std::nullopt;
    question.labels.push_back(to_lower(message.substr(at, length)));
    at += length;
  }
  if (message.size() - at < 4) return std::nullopt;
  question.type = number_at(message, at);
  question.of_class = number_at(message, at + 2);
  question.bytes = message.substr(kHeader, at + 4 - kHeader);
  return question;
}

std::string two(std::uint16_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
}

std::string wire_name(const std::vector<std::string>& labels) {
  std::string made;
  for (const std::string& label : labels) made += static_cast<char>(label.size()) + label;
  return made + '\0';
}

std::string record(std::uint16_t type, const std::string& data) {
  return std::string(kNameOfQuestion) + two(type) + two(kInternet) + two(0) + two(kSeconds) +
         two(static_cast<std::uint16_t>(data.size())) + data;
}

std::string address_bytes(const std::string& text) {
  in_addr binary{};
  if (::inet_pton(AF_INET, text.c_str(), &binary) != 1) return {};
  return {reinterpret_cast<const char*>(&binary), sizeof binary};
}

std::string dashed(std::string text) {
  std::ranges::replace(text, '.', '-');
  return text;
}

/// What a name means: nullopt, it is not there; else the records of the type that was asked for.
class Finder {
 public:
  Finder(const Question& question, const ServiceTable& table) : question_(question), table_(table) {}

  std::optional<std::vector<std::string>> find() const {
    const auto& labels = question_.labels;
    if (labels.size() < std::size(kDomain) + 2 ||
        !std::equal(std::rbegin(kDomain), std::rend(kDomain), labels.rbegin()))
      return std::nullopt;
    const std::size_t before = labels.size() - std::size(kDomain) - 2;
    const ServiceTable::Name* service = table_.find(labels[before + 1], labels[before]);
    if (!service) return std::nullopt;
    if (before == 0) return addresses(service->addresses);
    if (before == 1) return one_endpoint(*service, labels[0]);
    return before == 2 ? servers(*service, labels[0], labels[1]) : std::nullopt;
  }

 private:
  bool wants(std::uint16_t type) const { return question_.type == type || question_.type == kAnyType; }

  std::vector<std::string> addresses(const std::vector<std::string>& texts) const {
    std::vector<std::string> records;
    if (!wants(kTypeA)) return records;
    for (const std::string& text : texts)
      if (const std::string bytes = address_bytes(text); !bytes.empty())
        records.push_back(record(kTypeA, bytes));
    return records;
  }

  std::optional<std::vector<std::string>> one_endpoint(const ServiceTable::Name& service,
                                                       const std::string& label) const {
    if (!service.headless) return std::nullopt;
    for (const std::string& address : service.addresses)
      if (dashed(address) == label) return addresses({address});
    return std::nullopt;
  }

  std::optional<std::vector<std::string>> servers(const ServiceTable::Name& service, const std::string& port,
                                                  const std::string& transport) const {
    const auto found = std::ranges::find_if(
        service.ports, [&](const ServiceTable::Port& each) { return "_" + each.name == port; });
    if (transport != "_tcp" || found == service.ports.end()) return std::nullopt;
    std::vector<std::string> records;
    if (!wants(kTypeSrv)) return records;
    const std::vector<std::string> host(question_.labels.begin() + 2, question_.labels.end());
    const auto add = [&](const std::vector<std::string>& target) {
      records.push_back(record(kTypeSrv, two(0) + two(1) + two(found->number) + wire_name(target)));
    };
    if (!service.headless) add(host);
    for (const std::string& address : service.headless ? service.addresses : std::vector<std::string>{}) {
      std::vector<std::string> target = host;
      target.insert(target.begin(), dashed(address));
      add(target);
    }
    return records;
  }

  const Question& question_;
  const ServiceTable& table_;
};

}  // namespace

std::string dns_response(std::string_view message, const ServiceTable& table, std::size_t turn) {
  const auto question = read_question(message);
  if (!question) return {};
  const bool is_query = (byte_at(message, 2) & kOpcode) == 0 && question->of_class == kInternet;
  const auto found = is_query ? Finder(*question, table).find() : std::nullopt;
  std::string records;
  std::uint16_t count = 0;
  const std::size_t all = found ? found->size() : 0;
  for (std::size_t i = 0; i < all; ++i) {
    const std::string& next = (*found)[(i + turn) % all];
    if (kHeader + question->bytes.size() + records.size() + next.size() > kMaxMessage) break;
    records += next;
    ++count;
  }
  const unsigned code = !is_query ? kNotDone : found ? 0 : kNotThere;
  std::string response(message.substr(0, 2));
  response +=
      static_cast<char>(kIsResponse | kAuthoritative | (byte_at(message, 2) & (kOpcode | kRecursionDesired)));
  response += static_cast<char>(code);
  response += two(1) + two(count) + two(0) + two(0);
  return response.append(question->bytes) + records;
}

Result<void> NameServer::start(const net::Address& at) {
  const auto failed = [&] {
    return fail(
        Error::internal(Code::kInternal, "the DNS server at " + at.to_string() + ": " + errno_text(errno)));
  };
  fd_ = net::Fd(::socket(at.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_ || ::bind(fd_.get(), at.data(), at.size()) != 0) return failed();
  return watch_.start(loop_, fd_.get(), *this);
}

net::Address NameServer::address() const {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return net::Address::from(reinterpret_cast<sockaddr*>(&storage), length);
}

void NameServer::on_ready(Ready) {
  for (int i = 0; i < kMaxAtOnce; ++i) {
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    const ssize_t got =
        ::recvfrom(fd_.get(), block_.data(), block_.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (got < 0) continue;
    const std::string response =
        dns_response({block_.data(), static_cast<std::size_t>(got)}, table_, turn_++);
    // A full buffer loses a response, as a network does; the client asks again.
    if (!response.empty())
      static_cast<void>(::sendto(fd_.get(), response.data(), response.size(), MSG_NOSIGNAL,
                                 reinterpret_cast<const sockaddr*>(&from), length));
  }
  // Readiness is said once: what is left is ours to remember.
  rest_.arm(loop_.now());
}

}  // namespace weft::local
