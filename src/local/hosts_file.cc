#include "local/hosts_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "local/json.h"
#include "net/socket.h"

namespace weft::local {
namespace {

constexpr std::string_view kDomain = "cluster.local";

Result<void> write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(Error::internal(Code::kInternal, path + ": " + errno_text(errno)));
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

std::string hosts_text(std::string_view host_name, std::string_view pod_namespace, const std::string& pod_ip,
                       const ServiceTable& services) {
  std::string text = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n" + pod_ip + "\t" +
                     std::string(host_name) + "\n";
  for (const ServiceTable::Name& service : services.names()) {
    const std::string with_namespace = service.name + "." + service.ns, with_svc = with_namespace + ".svc",
                      full = with_svc + "." + std::string(kDomain);
    const std::string names = (service.ns == pod_namespace ? service.name + " " : std::string()) +
                              with_namespace + " " + with_svc + " " + full + " " + full + ".\n";
    for (const std::string& address : service.addresses) text += address + "\t" + names;
  }
  return text;
}

std::string host_name_of(std::string_view pod_name) {
  constexpr std::size_t kMaxLength = 63;  // RFC 1035 §2.3.4
  std::string_view name = pod_name.substr(0, kMaxLength);
  while (name.ends_with('-') || name.ends_with('.')) name.remove_suffix(1);
  return std::string(name);
}

std::string resolv_conf_text(std::string_view pod_namespace) {
  const std::string domain(kDomain);
  return "nameserver " + std::string(kHostIp) + "\nsearch " + std::string(pod_namespace) + ".svc." + domain +
         " svc." + domain + " " + domain + "\noptions ndots:5\n";
}

std::string nsswitch_text() {
  return "passwd: files\ngroup: files\nshadow: files\nhosts: files\nservices: files\nprotocols: "
         "files\nnetworks: files\n";
}

Result<void> write_in_place(const std::string& path, std::string_view content) {
  const net::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd) return fail(Error::internal(Code::kInternal, path + ": " + errno_text(errno)));
  WEFT_CHECK(write_all(fd.get(), content, path));
  if (::ftruncate(fd.get(), static_cast<off_t>(content.size())) != 0)
    return fail(Error::internal(Code::kInternal, path + ": " + errno_text(errno)));
  return {};
}

Result<void> write_atomically(const std::string& path, std::string_view content) {
  const std::string other = path + ".new";
  const net::Fd fd(::open(other.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return fail(Error::internal(Code::kInternal, other + ": " + errno_text(errno)));
  WEFT_CHECK(write_all(fd.get(), content, other));
  if (::fsync(fd.get()) != 0 || ::rename(other.c_str(), path.c_str()) != 0)
    return fail(Error::internal(Code::kInternal, path + ": " + errno_text(errno)));
  return {};
}

}  // namespace weft::local
