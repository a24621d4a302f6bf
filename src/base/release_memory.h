#pragma once

namespace weft {

/// Empties a string or a vector and gives its memory back. `x = {}` does not: it assigns a list of nothing,
/// and the capacity stays. Any thread.
template <class Container>
void release_memory(Container& container) {
  Container().swap(container);
}

}  // namespace weft
