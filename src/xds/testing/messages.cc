#include "xds/testing/messages.h"

#include <google/protobuf/text_format.h>
#include <google/protobuf/unknown_field_set.h>

#include "base/error.h"

namespace weft::xds::testing {

void merge(const std::string& text, google::protobuf::Message& into) {
  WEFT_ASSERT(google::protobuf::TextFormat::MergeFromString(text, &into));
}

std::string text_of(const google::protobuf::Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetExpandAny(true);
  std::string text;
  WEFT_ASSERT(printer.PrintToString(message, &text));
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

void add_unknown(google::protobuf::Message& to, int number) {
  to.GetReflection()->MutableUnknownFields(&to)->AddLengthDelimited(number, "");
}

}  // namespace weft::xds::testing
