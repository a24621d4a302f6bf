#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "control/ads/push.h"

namespace weft::control {

/// The resource names in one request, or those of one type on a stream.
struct NameCount {
  std::size_t names = 0, bytes = 0;
};

/// Counts the names that a request asks for, before anything is made of its bytes. What the proxy asks for no
/// longer, or has from before, adds nothing that lasts: the limit of a message bounds it. Bytes that are no
/// message count as far as they can be read.
NameCount count_names(std::string_view request);

/// What is wrong with so many names from a proxy that is to run `target`, which may be null; empty when
/// nothing is. The limit is for what it says beyond that, which is what it runs of a mesh that was larger.
std::string complaint_about(const NameCount& count, const ResourceSet* target);

}  // namespace weft::control
