#pragma once

#include <google/protobuf/any.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"
#include "proxy/config.h"
#include "xds/path.h"

namespace weft::xds {

/// What one resource's conversion to the data plane's structs goes by, and what it leaves out.
///
/// A static bootstrap is strict: what we do not do is an error. What a control plane sends is taken in the
/// safe order: unknown fields of what guards security or narrows a match are errors, other ones are left out
/// and listed. An error costs the smallest unit that can be closed safely, which for routes is one route.
/// Heavy header: .cc files of this room only.
class Conversion {
 public:
  explicit Conversion(bool strict) : strict_(strict) {}

  bool strict() const { return strict_; }
  const std::vector<std::string>& left_out() const { return left_out_; }
  /// The parts that could not be converted and respond with an error in place of what was meant.
  const std::vector<std::string>& rejected() const { return rejected_; }
  /// Notes such a part. Only what is not strict may have any.
  void reject(const Error& error) { rejected_.push_back(error.text); }
  /// Notes what was found in a part of the whole.
  void add_left_out(const std::vector<std::string>& texts) { append(left_out_, texts); }
  void add_rejected(const std::vector<std::string>& texts) { append(rejected_, texts); }

  /// Something understood that we do not do: an error when strict, listed otherwise.
  Result<void> unsupported(const Path& path, std::string_view text);
  /// An error for, or a list of, the fields of `message` and of what is in it that our subset does not have.
  /// Routes below it are left to the function that converts them: each is looked at by itself.
  Result<void> examine(const google::protobuf::Message& message, const Path& path);

 private:
  static void append(std::vector<std::string>& to, const std::vector<std::string>& texts) {
    to.insert(to.end(), texts.begin(), texts.end());
  }

  bool strict_;
  std::vector<std::string> left_out_, rejected_;
};

/// The message name of an Any: what stands behind the last '/'.
std::string_view message_name(const google::protobuf::Any& any);
/// For the wrappers {type_url, value} that stand in for extensions without their own message: the inner name.
std::string wrapped_name(const google::protobuf::Any& any);

/// Fills `into` from `any`, whose type has been looked at already.
Result<void> unpack(const google::protobuf::Any& any, google::protobuf::Message& into, const Path& path,
                    Conversion& conversion);

template <class Message>
bool holds(const google::protobuf::Any& any) {
  return message_name(any) == Message::descriptor()->full_name();
}

/// Milliseconds, rounded up so that a short duration never becomes "none". Error: negative or beyond 292
/// years.
Result<proxy::Milliseconds> to_milliseconds(const google::protobuf::Duration& duration, const Path& path);

}  // namespace weft::xds
