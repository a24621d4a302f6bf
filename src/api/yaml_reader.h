#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.h"

namespace weft::api {

/// Where a value stands in its file, and where its members or items do, in their order. Same shape as the
/// Json.
struct Lines {
  int line = 0;  ///< from 1: of the key of a map's member, else of the value
  std::vector<Lines> children;
};

struct Document {
  Json value;
  Lines lines;
};

struct YamlStream {
  struct Fault {
    int line = 0;
    std::string text;
    /// Sound YAML that says what JSON has no form for, or what is not read here: duplicate keys, keys that
    /// are not texts, merge keys, tags, numbers that are not finite.
    bool no_json = false;
  };
  std::vector<Document> documents;  ///< those before the fault; empty documents are left out
  std::optional<Fault> fault;
};

/// Reads YAML 1.2 with the types that kubectl knows, which are YAML 1.1's: plain yes, on and y are true, 0644
/// and 0o644 are octal, 1_000 is a thousand. A document may begin with a byte order mark, and JSON objects
/// may stand one after the other with nothing but white space between them. Any thread.
///
/// Rejected: duplicate keys, keys that are not scalars, merge keys, tags other than the core schema's,
/// numbers that are not finite, byte order marks other than UTF-8, bytes that are not UTF-8; and beyond the
/// limits: 10 MB of text, 100 levels, 10,000 keys in a map, 1 MB in one line or text, 64 MB of values,
/// aliases expanded.
YamlStream read_yaml(std::string_view text);

/// What a plain scalar means: null, bool, integer, number or text. The emitter
/// quotes by it.
Json plain_scalar(std::string_view text);

}  // namespace weft::api
