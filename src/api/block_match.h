#pragma once

#include <string_view>

#include "api/json.h"

namespace weft::api {

/// Whether a YAML document reads as `wanted`, told without a parser, for the forms that manifests are mostly
/// written in: maps and lists in block style, texts of one line, comments, ASCII.
///
/// True is certain. False says nothing: the document may be of another form, and a parser has to tell. Any
/// thread.
bool block_text_says(std::string_view text, const Json& wanted);

}  // namespace weft::api
