#pragma once

#include <expected>
#include <memory>
#include <string>

#include "common/environment.h"
#include "common/service.h"

namespace bookinfo::ratings {

/// The version of ratings that the environment asks for: `SERVICE_VERSION` and, for `v2`, `DB_TYPE` with the
/// variables of that database. The error is one line for a person: a value that cannot be used.
std::expected<std::unique_ptr<Service>, std::string> make(const Environment& environment);

}  // namespace bookinfo::ratings
