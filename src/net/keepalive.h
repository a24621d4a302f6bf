#pragma once

namespace weft::net {

/// Makes a TCP connection notice that its peer is gone without a word: silence is asked about after 15 s and
/// believed after three questions, bytes that are not acknowledged after 30 s (TCP_USER_TIMEOUT). Nothing for
/// other sockets.
void ask_for_keepalive(int fd);

}  // namespace weft::net
