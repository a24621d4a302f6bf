#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::pod {

/// A whole file of at most 1 MiB. Errors: kNotFound, kTooLarge, with the path.
Result<std::string> read_file(const std::string& path);

/// A file of the downward API: lines `key="value"`, the value quoted as Go does. Lines that are none are left
/// out.
std::map<std::string, std::string> parse_pod_info(std::string_view text);

/// How many processors a control group may use at most, rounded up, from its `cpu.max` ("MAX PERIOD",
/// kernel's cgroup-v2.rst); nothing when it has no limit.
std::optional<unsigned> cpu_limit(std::string_view cpu_max);

/// How many workers a proxy in a pod has: what is asked for (0: one for each processor), or one for each
/// processor of its limit and at most two.
unsigned worker_count(std::optional<unsigned> asked, std::optional<unsigned> limit, unsigned processors);

}  // namespace weft::pod
