#include "productpage/request_results.h"

#include <unistd.h>

#include <fstream>

namespace bookinfo::productpage {

namespace {

/// Zero where there is no /proc.
unsigned long long resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  unsigned long long all_pages = 0;
  unsigned long long resident_pages = 0;
  statm >> all_pages >> resident_pages;
  return resident_pages * static_cast<unsigned long long>(::sysconf(_SC_PAGESIZE));
}

void append_head(std::string& out, const std::string& name, const std::string& help,
                 const std::string& type) {
  out += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

}  // namespace

void RequestResults::count(const std::string& service, unsigned status) {
  Series& series = series_[{service, status}];
  if (series.total == 0) series.created = std::time(nullptr);
  ++series.total;
}

std::string RequestResults::exposition() const {
  std::string totals;
  std::string created;
  append_head(totals, "request_result_total", "Results of requests", "counter");
  append_head(created, "request_result_created", "Results of requests", "gauge");
  for (const auto& [key, series] : series_) {
    const std::string labels =
        "{destination_app=\"" + key.first + "\",response_code=\"" + std::to_string(key.second) + "\"} ";
    totals += "request_result_total" + labels + std::to_string(series.total) + "\n";
    created += "request_result_created" + labels + std::to_string(series.created) + "\n";
  }
  std::string process;
  append_head(process, "process_start_time_seconds", "Start time of the process since the Unix epoch",
              "gauge");
  process += "process_start_time_seconds " + std::to_string(started_) + "\n";
  append_head(process, "process_resident_memory_bytes", "Resident memory size", "gauge");
  process += "process_resident_memory_bytes " + std::to_string(resident_bytes()) + "\n";
  return totals + created + process;
}

}  // namespace bookinfo::productpage
