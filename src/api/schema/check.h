#pragma once

#include <cstdint>

#include "api/json.h"
#include "api/path.h"
#include "api/report.h"
#include "api/schema/schema.h"

namespace weft::api {

/// Where an object comes from: files lose what only a server writes, the API keeps it.
enum class Source : std::uint8_t { kFile, kApi };

/// Checks `body` against its schema and reports everything that is wrong. Takes out nulls, server-set fields
/// of files, and fields that are not supported and say nothing.
void check_schema(Json& body, const Schema& schema, Source source, const Path& at, Report& report);

/// A value as it is put into a message: JSON, at most 60 bytes of it.
std::string shown(const Json& value);

}  // namespace weft::api
