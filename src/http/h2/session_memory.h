#pragma once

#include <nghttp2/nghttp2.h>

namespace weft::http::h2 {

/// The allocator of sessions. nghttp2 keeps for each session a block of 16 KiB in which it packs one frame
/// after another; since Framing takes every frame out of it before it leaves nghttp2, all sessions of a
/// thread have one such block. The table of a session's streams is a page that may rest while there are none
/// (docs/decisions/0089). Everything else comes from the heap.
///
/// Thread: a session is made, used and ended by one thread, and none is used from inside another.
nghttp2_mem* session_memory();

/// While it lives, a session is made: only then is the block given out, and
/// a page.
class MakingSession {
 public:
  MakingSession();
  MakingSession(const MakingSession&) = delete;
  MakingSession& operator=(const MakingSession&) = delete;
  ~MakingSession();
  /// The one that the session has got, for ZeroPages::rest(); null: none.
  void* page() const;
};

}  // namespace weft::http::h2
