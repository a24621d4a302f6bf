#pragma once

#include <google/protobuf/message.h>

#include <string>

/// Messages for tests, written as people read them. Heavy header: test files only. Any thread.
namespace weft::xds::testing {

/// Sets in `into` what `text`, in protobuf's text format, sets. The program ends when it is none.
void merge(const std::string& text, google::protobuf::Message& into);

template <class Message>
Message parsed(const std::string& text) {
  Message made;
  merge(text, made);
  return made;
}

/// A message as text, and what is to come of it.
struct Row {
  std::string text;
  std::string want;
};

/// The text of a message, in one line.
std::string text_of(const google::protobuf::Message& message);

/// A field that our subset lacks, as a peer that has the whole of Envoy's API sends it.
void add_unknown(google::protobuf::Message& to, int number);

}  // namespace weft::xds::testing
