#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "pod/application_metrics.h"
#include "pod/application_probes.h"
#include "pod/environment.h"

namespace {

using namespace weft::pod;

/// As injection writes them; the input adds to them and replaces them.
Variables usual() {
  return {{"POD_NAME", "web-1"},
          {"POD_NAMESPACE", "shop"},
          {"INSTANCE_IP", "10.0.0.1"},
          {"CA_ADDR", "weft-control.weft-system.svc:15012"}};
}

}  // namespace

/// Lines NAME=VALUE as the variables of a proxy's container, which come from a pod's annotations and its own
/// text: rejected with the variable's name, or a proxy that knows what it is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Variables variables = usual();
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto equals = line.find('=');
    if (equals != line.npos) variables[std::string(line.substr(0, equals))] = line.substr(equals + 1);
  }
  const auto made = Environment::read(Role::kSidecar, "", std::move(variables));
  if (!made) {
    WEFT_ASSERT(!made.error().text.empty());
    return 0;
  }
  WEFT_ASSERT(made->control_port != 0 && made->metadata.is_object());
  static_cast<void>(ApplicationProbes::parse(made->probes, made->ip));
  static_cast<void>(ApplicationMetrics::parse(made->metrics, made->ip));
  return 0;
}
