#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/backoff.h"
#include "base/random.h"
#include "net/loop.h"
#include "net/task.h"
#include "store/store.h"

namespace weft::store {

/// Follows what a query selects: lists it, watches it from that version on, and goes on from the last version
/// seen when the watch breaks. Only when that version is too old is it listed again. A type of resource that
/// the store does not have is told of as an empty list, and looked for again.
///
/// Failures are followed by a jittered exponential back-off. A list alone does not end it: a server that
/// lists and rejects every watch must not be asked all the time.
///
/// Owner: the copy that it feeds; `store` and `sink` must outlive it. Thread: the loop's. How it ends: the
/// destructor; the sink is never told after that.
class Reflector {
 public:
  /// A watch of this age has been a success, whatever came over it.
  static constexpr Duration kLived = 2s;

  /// Told of what the store says. It may not destroy the reflector.
  class Sink {
   public:
    /// All that there is: what is not in it is gone.
    virtual void on_list(const List& list) = 0;
    /// Never a bookmark without an object; events that come twice or late are told, too.
    virtual void on_event(const Event& event) = 0;

   protected:
    ~Sink() = default;
  };
  struct Options {
    Query query;
    Backoff::Limits backoff;
    Random random = {};  ///< of the jitter
  };
  /// What stands between the copy and the store.
  struct LastError {
    std::string_view verb;  ///< "list" or "watch"
    Code code;
    std::string text;
  };

  Reflector(net::Loop& loop, Store& store, Sink& sink, Options options);
  void start() { tasks_.spawn(run()); }

  /// The sink has what was listed, and every change since up to version(), while watching it goes on or may
  /// go on from there.
  bool listed() const { return listed_; }
  std::uint64_t version() const { return version_; }
  /// Of the last attempt; null while it is not known to have failed.
  const LastError* last_error() const { return last_error_ ? &*last_error_ : nullptr; }
  /// How often a list or a watch has failed. The ordinary end of a watch is none.
  std::uint64_t failures() const { return failures_; }
  const Query& query() const { return options_.query; }
  /// The store has no such type of resource.
  static bool is_absent(const Error& error) {
    return error.code == Code::kUnsupported || error.code == Code::kNotFound;
  }

 private:
  net::Task<void> run();
  net::Task<Result<void>> list();
  net::Task<Result<void>> watch();
  void take(const Event& event);
  void note(std::string_view verb, const Error& error);
  bool lived() const { return heard_ || watched_since_ <= loop_.now() - kLived; }

  net::Loop& loop_;
  Store& store_;
  Sink& sink_;
  Options options_;
  Backoff backoff_;
  bool listed_ = false;
  bool heard_ = false;                          ///< something came over the present watch
  TimePoint watched_since_ = TimePoint::max();  ///< the store's consent to the present watch
  std::uint64_t version_ = 0, failures_ = 0;
  std::optional<LastError> last_error_;
  net::TaskScope tasks_;
};

}  // namespace weft::store
