#pragma once

#include <string>
#include <vector>

#include "install/plan.h"
#include "install/section.h"

namespace weft::install {

/// Everything that an installation consists of, in an order in which it can be created: namespaces and
/// definitions first, what needs them after. Every object is labelled app.kubernetes.io/part-of=weft. The
/// same plan gives the same parts. Any thread.
Parts installation(const Plan& plan);

/// One YAML stream for `kubectl apply -f -`, with the comments.
std::string manifest(const Plan& plan);

/// The same objects by kind and name alone, in the order in which they can go, for `kubectl delete -f -`;
/// with what the control plane makes in its own namespace.
std::string removal_manifest(const Plan& plan);

}  // namespace weft::install
