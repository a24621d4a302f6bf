#pragma once

#include <cstdint>

#include "base/error.h"
#include "net/socket.h"

namespace weft::local {

/// A network namespace held by a descriptor: it lives as long as this, a process or a socket in it.
///
/// Owner: a pod. Thread: the one that made it (it goes in and out by setns). Needs CAP_SYS_ADMIN.
class NetworkNamespace {
 public:
  NetworkNamespace() = default;
  /// A new, empty one: nothing but `lo`, down.
  static Result<NetworkNamespace> create();

  int fd() const { return fd_.get(); }
  /// By which /proc/<pid>/ns/net of its processes is known.
  std::uint64_t inode() const { return inode_; }

  /// The calling thread is in the namespace while this lives: sockets made meanwhile belong to it for good.
  class Inside {
   public:
    static Result<Inside> enter(const NetworkNamespace& which);
    Inside(Inside&&) = default;
    Inside& operator=(Inside&&) = delete;
    ~Inside();

   private:
    explicit Inside(net::Fd home) : home_(std::move(home)) {}
    net::Fd home_;
  };

 private:
  net::Fd fd_;
  std::uint64_t inode_ = 0;
};

}  // namespace weft::local
