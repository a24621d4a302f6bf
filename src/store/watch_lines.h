#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/client.h"
#include "store/store.h"

namespace weft::store {

/// The events of a watch as a server sends them: JSON, one on each line.
///
/// Errors beside those of Watch: kInvalid: a line is not an event; kConflict also for a line above 16 MB, so
/// that it is left out by listing again. What stands after the last line end when the connection ends is
/// dropped.
class WatchLines final : public Watch {
 public:
  /// `trim` is called with each object before it is kept; may be empty.
  WatchLines(std::unique_ptr<http::Call> call, const api::KindInfo& kind,
             std::function<void(api::Json&)> trim = {});

  net::Task<Result<Event>> next() override;

 private:
  Result<Event> parse(std::string_view line) const;

  std::unique_ptr<http::Call> call_;
  const api::KindInfo& kind_;
  std::function<void(api::Json&)> trim_;
  std::string buffer_;
  std::size_t begin_ = 0;    ///< of the line that is being read
  std::size_t scanned_ = 0;  ///< there is no line end between begin_ and here
  bool ended_ = false;
};

}  // namespace weft::store
