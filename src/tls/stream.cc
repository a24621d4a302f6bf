#include "tls/stream.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "tls/openssl.h"

namespace weft::tls {
namespace {

constexpr std::size_t kRecord = 16384;  // RFC 8446 §5.1
// What the least of records counts as taken: decrypting a byte takes as long as some thousand others.
constexpr std::size_t kRecordCost = 1024;

// Some hundred microseconds of decrypting.
constexpr std::size_t kRawAtOnce = 64 * 1024;

RawInput& input_of(BIO* bio) { return *static_cast<RawInput*>(BIO_get_data(bio)); }
/// -1 once the stream has closed it.
int fd_of(BIO* bio) { return input_of(bio).fd.get(); }

int send_some(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  ssize_t sent;
  // OpenSSL's own socket BIO would raise SIGPIPE.
  do sent = ::send(fd_of(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int receive_some(BIO* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  RawInput& input = input_of(bio);
  const std::size_t most = std::min(static_cast<std::size_t>(size), input.left);
  if (most == 0) {
    input.exhausted = true;
    BIO_set_retry_read(bio);
    return -1;
  }
  ssize_t got;
  do got = ::recv(fd_of(bio), into, most, 0);
  while (got < 0 && errno == EINTR);
  if (got > 0) input.left -= static_cast<std::size_t>(got);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(got);
}

long control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  return command == BIO_CTRL_EOF && BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_write(method, send_some);
    BIO_meth_set_read(method, receive_some);
    BIO_meth_set_ctrl(method, control);
    return method;
  }();
  return kMethod;
}

bool is_address(const std::string& name) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, name.c_str(), bytes) == 1 || inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

}  // namespace

Stream::Stream(net::Loop& loop, net::Fd fd, std::shared_ptr<const Context> context)
    : net::Stream(loop), fd_(std::move(fd)), context_(std::move(context)), ssl_(nullptr, SSL_free) {}

Stream::~Stream() { watch_.stop(); }

Result<void> Stream::start() {
  ssl_.reset(SSL_new(context_->get()));
  BIO* bio = BIO_new(socket_method());
  if (!ssl_ || !bio) return fail(Error::internal(Code::kExhausted, "no memory for a TLS connection"));
  BIO_set_data(bio, &input_);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (context_->is_server()) {
    SSL_set_accept_state(ssl_.get());
  } else {
    const std::string& name = context_->server_name();
    X509_VERIFY_PARAM* rules = SSL_get0_param(ssl_.get());
    // RFC 9525 §2: a common name is for people; only the alternative names count.
    X509_VERIFY_PARAM_set_hostflags(
        rules, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const bool set = is_address(name) ? X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1
                                      : SSL_set1_host(ssl_.get(), name.c_str()) == 1 &&
                                            SSL_set_tlsext_host_name(ssl_.get(), name.c_str()) == 1;
    if (!set) return fail(Error::config(Code::kInvalid, "\"" + name + "\" is not a valid server name"));
    SSL_set_connect_state(ssl_.get());
  }
  return watch_.start(loop(), fd_.get(), *this);
}

net::Task<Result<void>> Stream::shake_hands(TimePoint deadline) {
  set_read_deadline(deadline);
  set_write_deadline(deadline);
  for (;;) {
    ERR_clear_error();
    const int done = SSL_do_handshake(ssl_.get());
    if (done == 1) break;
    const int error = SSL_get_error(ssl_.get(), done);
    net::IoError waited = net::IoError::kNone;
    if (error == SSL_ERROR_WANT_READ) {
      may_read_ = false;
      waited = co_await readable();
    } else if (error == SSL_ERROR_WANT_WRITE) {
      may_write_ = false;
      waited = co_await writable();
    } else {
      co_return fail(handshake_error(error));
    }
    if (waited != net::IoError::kNone)
      co_return fail(net::to_error(waited, context_->is_server() ? Blame::kDownstream : Blame::kUpstream,
                                   "TLS handshake"));
  }
  established_ = true;
  set_read_deadline(kNever);
  set_write_deadline(kNever);
  co_return Result<void>{};
}

Error Stream::handshake_error(int error) const {
  const auto made = [this](Code code, const std::string& text) {
    const std::string whole = "TLS handshake: " + text;
    return context_->is_server() ? Error::downstream(code, whole)
                                 : Error::upstream(code, Retry::kNever, whole);
  };
  const long verified = SSL_get_verify_result(ssl_.get());
  if (verified == X509_V_ERR_HOSTNAME_MISMATCH || verified == X509_V_ERR_IP_ADDRESS_MISMATCH)
    return made(Code::kDenied, "the server's certificate is not for " + context_->server_name());
  if (verified != X509_V_OK)
    return made(Code::kDenied, std::string("the peer's certificate is not trusted: ") +
                                   X509_verify_cert_error_string(verified));
  if (error == SSL_ERROR_SYSCALL || error == SSL_ERROR_ZERO_RETURN)
    return made(Code::kReset, "the peer ended the connection");
  const int reason = ERR_GET_REASON(ERR_peek_error());
  const bool eof = reason == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  if (eof) return made(Code::kReset, "the peer ended the connection");
  if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
    return made(Code::kDenied, "the peer showed no certificate");
  return made(Code::kInvalid, last_reason());
}

net::IoResult Stream::outcome(int error, bool reading) {
  switch (error) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: (reading ? may_read_ : may_write_) = false; break;
    case SSL_ERROR_ZERO_RETURN: peer_ended_ = true; return {0, net::IoError::kEnd};
    default: broken_ = true; return {0, net::IoError::kReset};
  }
  return {0, net::IoError::kWouldBlock};
}

net::IoResult Stream::try_read(std::span<char> into) {
  if (!fd_ || closed()) return {0, net::IoError::kClosed};
  if (broken_) return {0, net::IoError::kReset};
  if (took_enough()) return {0, net::IoError::kWouldBlock};
  ERR_clear_error();
  std::size_t got = 0;
  input_.allow(kRawAtOnce);
  const int done = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
  if (done != 1) return nothing_read(done);
  note_taken(std::max(got, kRecordCost));
  return {got, net::IoError::kNone};
}

net::IoResult Stream::nothing_read(int done) {
  const net::IoResult result = outcome(SSL_get_error(ssl_.get(), done), true);
  if (result.error != net::IoError::kWouldBlock) return result;
  note_empty();
  if (!input_.exhausted) return result;
  // There is more, which the socket will not tell of again.
  note_taken(std::numeric_limits<std::size_t>::max());
  static_cast<void>(took_enough());
  return result;
}

net::IoResult Stream::try_write(std::span<const iovec> parts) {
  if (!fd_ || closed()) return {0, net::IoError::kClosed};
  if (broken_) return {0, net::IoError::kReset};
  std::array<char, kRecord> gathered;
  const char* data = nullptr;
  std::size_t size = 0;
  if (parts.size() == 1) {
    data = static_cast<const char*>(parts[0].iov_base);
    size = parts[0].iov_len;
  } else {
    // Small parts go out as one record.
    for (const iovec& part : parts) {
      const std::size_t taken = std::min(part.iov_len, gathered.size() - size);
      std::memcpy(gathered.data() + size, part.iov_base, taken);
      size += taken;
    }
    data = gathered.data();
  }
  if (size == 0) return {0, net::IoError::kNone};
  ERR_clear_error();
  std::size_t sent = 0;
  const int done = SSL_write_ex(ssl_.get(), data, size, &sent);
  if (done == 1) return {sent, net::IoError::kNone};
  return outcome(SSL_get_error(ssl_.get(), done), false);
}

void Stream::shutdown_write() {
  if (!fd_ || !established_ || broken_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

net::IoResult Stream::peek(std::span<char> into) {
  if (!fd_ || closed()) return {0, net::IoError::kClosed};
  if (broken_) return {0, net::IoError::kReset};
  ERR_clear_error();
  std::size_t got = 0;
  input_.allow(kRawAtOnce);
  const int done = SSL_peek_ex(ssl_.get(), into.data(), into.size(), &got);
  if (done != 1) return nothing_read(done);
  may_read_ = false;
  return {got, net::IoError::kNone};
}

bool Stream::quiet() {
  if (!fd_ || closed() || broken_ || peer_ended() || peer_broken()) return false;
  if (!may_read_ && !held_back() && SSL_has_pending(ssl_.get()) == 0) return true;
  ERR_clear_error();
  char byte;
  std::size_t got = 0;
  input_.allow(kRawAtOnce);
  const int done = SSL_peek_ex(ssl_.get(), &byte, 1, &got);
  if (done == 1) return false;
  const net::IoResult ended = nothing_read(done);
  // What is still pending is the beginning of a record.
  return ended.error == net::IoError::kWouldBlock && !held_back() && SSL_has_pending(ssl_.get()) == 0;
}

std::string Stream::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string Stream::version() const { return SSL_get_version(ssl_.get()); }

std::optional<CertificateInfo> Stream::peer_certificate() const {
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  if (!certificate) return std::nullopt;
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate);
  auto info = read_certificate(text_of(out.get()));
  return info ? std::optional(std::move(*info)) : std::nullopt;
}

/// Either direction of the bytes inside may wait for either one of the socket.
void Stream::on_ready(Ready ready) {
  const bool any = ready.readable || ready.writable;
  notify({.readable = ready.readable || (any && !may_read_ && ready.writable),
          .writable = ready.writable || (any && !may_write_),
          .ended = false,
          .broken = ready.broken});
}

void Stream::do_close(bool reset) {
  if (!reset) shutdown_write();
  watch_.stop();
  if (reset && fd_) {
    const linger now{1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  fd_.reset();
}

Result<std::unique_ptr<Stream>> Stream::wrap(std::unique_ptr<net::Socket> socket,
                                             std::shared_ptr<const Context> context) {
  net::Loop& loop = socket->loop();
  const net::Address peer = socket->peer_address();
  net::Fd fd = net::Socket::release(std::move(socket));
  std::unique_ptr<Stream> stream(new Stream(loop, std::move(fd), std::move(context)));
  stream->peer_ = peer;
  WEFT_CHECK(stream->start());
  return stream;
}

net::Task<Result<std::unique_ptr<Stream>>> handshake(std::unique_ptr<net::Socket> socket,
                                                     std::shared_ptr<const Context> context,
                                                     TimePoint deadline) {
  WEFT_CO_TRY(std::unique_ptr<Stream> stream, Stream::wrap(std::move(socket), std::move(context)));
  WEFT_CO_CHECK(co_await stream->shake_hands(deadline));
  co_return stream;
}

}  // namespace weft::tls
