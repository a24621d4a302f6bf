#include "capture/netlink_writer.h"

#include <arpa/inet.h>
#include <linux/netlink.h>

#include <cstddef>
#include <cstring>

namespace weft::capture {

void NetlinkWriter::message(std::uint16_t type, std::uint16_t flags, std::string_view body,
                            const std::function<void()>& attributes) {
  const std::size_t begin = last_ = bytes_.size();
  nlmsghdr head{};
  head.nlmsg_type = type;
  head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  head.nlmsg_seq = ++sequence_;
  raw(bytes_of(head));
  raw(body);
  if (attributes) attributes();
  const auto length = static_cast<std::uint32_t>(bytes_.size() - begin);
  std::memcpy(bytes_.data() + begin, &length, sizeof length);
}

void NetlinkWriter::acknowledge() {
  std::uint16_t flags = 0;
  char* at = bytes_.data() + last_ + offsetof(nlmsghdr, nlmsg_flags);
  std::memcpy(&flags, at, sizeof flags);
  flags |= NLM_F_ACK;
  std::memcpy(at, &flags, sizeof flags);
}

void NetlinkWriter::attribute(std::uint16_t type, std::string_view value) {
  const nlattr head{static_cast<std::uint16_t>(NLA_HDRLEN + value.size()), type};
  raw(bytes_of(head));
  raw(value);
}

void NetlinkWriter::text(std::uint16_t type, std::string_view value) {
  attribute(type, std::string(value) + '\0');
}

void NetlinkWriter::number(std::uint16_t type, std::uint32_t value) { attribute(type, bytes_of(value)); }

void NetlinkWriter::number_be(std::uint16_t type, std::uint32_t value) {
  const std::uint32_t big = htonl(value);
  attribute(type, bytes_of(big));
}

void NetlinkWriter::nested(std::uint16_t type, const std::function<void()>& inside) {
  const std::size_t begin = bytes_.size();
  attribute(static_cast<std::uint16_t>(type | NLA_F_NESTED), {});
  inside();
  const auto length = static_cast<std::uint16_t>(bytes_.size() - begin);
  std::memcpy(bytes_.data() + begin, &length, sizeof length);
}

void NetlinkWriter::raw(std::string_view bytes) {
  bytes_.append(bytes);
  bytes_.resize((bytes_.size() + 3) & ~std::size_t{3});
}

}  // namespace weft::capture
