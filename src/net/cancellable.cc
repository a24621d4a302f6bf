#include "net/cancellable.h"

#include <utility>

namespace weft::net {

Task<void> run_cancellable(Loop& loop, Deferred*& cancel, Task<void> work) {
  TaskScope scope;
  Deferred cancelled(loop, [&scope] { scope.cancel_all(); });
  struct Watching {
    Deferred*& place;
    ~Watching() { place = nullptr; }
  } const watching{cancel};
  cancel = &cancelled;
  scope.spawn(std::move(work));
  co_await scope.join();
}

}  // namespace weft::net
