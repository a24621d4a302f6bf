#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"

namespace weft::local {

/// <state>/supervisor.json: which process runs the instance, and where its ingress listens.
struct InstanceRecord {
  pid_t pid = 0;                 ///< as the machine counts, not the instance's own namespace
  std::uint64_t start_time = 0;  ///< so that a number given to another process since then is not mistaken
  std::string ingress;           ///< "127.0.0.1:8080"

  bool alive() const;
};

Result<void> write_record(const std::string& state_dir, const InstanceRecord& record);
/// Nullopt when there is no file, or it is not a record.
std::optional<InstanceRecord> read_record(const std::string& state_dir);
void remove_record(const std::string& state_dir);

}  // namespace weft::local
