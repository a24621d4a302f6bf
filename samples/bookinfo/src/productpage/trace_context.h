#pragma once

#include "common/message.h"

namespace bookinfo::productpage {

/// Adds the B3 trace context of `in` to `out` as `x-b3-traceid`, `x-b3-spanid` and `x-b3-sampled`.
///
/// productpage reads the context and writes it anew instead of copying lines: a 16-digit trace id grows to 32
/// digits, letters become lower case, the sampling decision is always said (`0` when the caller left it
/// open), parent id and flags are dropped. A single `b3` header wins over the `x-b3-*` lines. Without a
/// valid, non-zero trace id and span id nothing is added. The span id passes through; no new span is made.
/// Source: B3 propagation, https://github.com/openzipkin/b3-propagation
void add_b3_context(const Headers& in, Headers& out);

}  // namespace bookinfo::productpage
