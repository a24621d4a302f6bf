#include "local/instance_record.h"

#include <unistd.h>

#include <fstream>
#include <iterator>

#include "api/json_text.h"
#include "local/hosts_file.h"
#include "local/json.h"
#include "local/process.h"

namespace weft::local {
namespace {

std::string path_of(const std::string& state_dir) { return state_dir + "/supervisor.json"; }

/// Ended, and not yet taken by its parent.
bool is_zombie(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const auto name_end = text.rfind(") ");
  return name_end != text.npos && text.substr(name_end + 2).starts_with('Z');
}

}  // namespace

bool InstanceRecord::alive() const {
  const std::uint64_t now = pid > 0 ? process_start_time(pid) : 0;
  return now != 0 && (start_time == 0 || now == start_time) && !is_zombie(pid);
}

Result<void> write_record(const std::string& state_dir, const InstanceRecord& record) {
  const api::Json json = {{"pid", record.pid}, {"startTime", record.start_time}, {"ingress", record.ingress}};
  return write_atomically(path_of(state_dir), api::json_text(json, 1) + "\n");
}

std::optional<InstanceRecord> read_record(const std::string& state_dir) {
  std::ifstream file(path_of(state_dir));
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const api::Json json = api::parse_json(text);
  const auto pid = json::number(json, "pid", 0);
  if (pid <= 0 || pid > (1 << 22)) return std::nullopt;
  return InstanceRecord{static_cast<pid_t>(pid),
                        static_cast<std::uint64_t>(json::number(json, "startTime", 0)),
                        json::string(json, "ingress")};
}

void remove_record(const std::string& state_dir) { ::unlink(path_of(state_dir).c_str()); }

}  // namespace weft::local
