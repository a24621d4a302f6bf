#pragma once

#include <ctime>
#include <map>
#include <string>
#include <utility>

namespace bookinfo::productpage {

/// How many fetches ended with which status, by downstream service: the one counter of `/metrics`.
/// A fetch counts once however many attempts it took; no answer at all counts as 500.
class RequestResults {
 public:
  void count(const std::string& service, unsigned status);

  /// The Prometheus text format: the counter, when each series began, and the process's start time and
  /// memory.
  std::string exposition() const;

 private:
  struct Series {
    unsigned long long total = 0;
    std::time_t created = 0;
  };
  std::map<std::pair<std::string, unsigned>, Series> series_;
  std::time_t started_ = std::time(nullptr);
};

}  // namespace bookinfo::productpage
