#pragma once

#include "base/error.h"
#include "yaml/document.h"

namespace google::protobuf {
class Message;
}

namespace weft::xds {

/// Fills `into` from the document by protobuf's JSON mapping, strictly: a field that our subset of the
/// message does not have is rejected. Errors name file, line and the field's path, and what would be right
/// where that is known.
Result<void> read_message(const yaml::Document& document, google::protobuf::Message& into);

}  // namespace weft::xds
