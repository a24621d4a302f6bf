#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include "store/kubernetes/cluster_access.h"
#include "unistd.h"

/// Any bytes as a kubeconfig file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const std::string file = "/tmp/weft-kubeconfig-fuzz-" + std::to_string(::getpid());
  std::ofstream(file, std::ios::trunc) << text;
  weft::store::AccessOptions options;
  options.kubeconfig = file;
  options.environment = [](const char*) { return std::string(); };
  static_cast<void>(weft::store::read_kubeconfig(options));
  std::remove(file.c_str());
  return 0;
}
