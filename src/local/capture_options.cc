#include "local/capture_options.h"

#include <string>

#include "capture/flags.h"
#include "local/json.h"

namespace weft::local {
namespace {

constexpr std::string_view kPrefix = "traffic.sidecar.istio.io/";

struct Option {
  std::string_view annotation;
  std::string capture::Flags::* flag;
};
constexpr Option kOptions[] = {
    {"includeInboundPorts", &capture::Flags::inbound_ports},
    {"excludeInboundPorts", &capture::Flags::excluded_inbound_ports},
    {"includeOutboundPorts", &capture::Flags::outbound_ports},
    {"excludeOutboundPorts", &capture::Flags::excluded_outbound_ports},
    {"includeOutboundIPRanges", &capture::Flags::outbound_ranges},
    {"excludeOutboundIPRanges", &capture::Flags::excluded_outbound_ranges},
    {"excludeInterfaces", &capture::Flags::excluded_interfaces},
    {"kubevirtInterfaces", &capture::Flags::virtual_interfaces},
};

/// What is captured of a pod that says nothing of it.
capture::Flags usual() {
  capture::Flags flags;
  flags.inbound_ports = flags.outbound_ranges = "*";
  flags.excluded_inbound_ports = "15020,15021,15090";
  flags.loopback_range = "127.0.0.0/8";
  return flags;
}

}  // namespace

Result<capture::Redirection> redirection_of(const api::Object& pod) {
  capture::Flags flags = usual();
  const api::Json& annotations = json::at(json::at(pod.body, "metadata"), "annotations");
  std::string said;
  for (const Option& option : kOptions) {
    const std::string name = std::string(kPrefix) + std::string(option.annotation);
    if (!annotations.contains(name)) continue;
    std::string& flag = flags.*option.flag;
    // The pages of the sidecar itself are excluded whatever else is.
    const bool adds = option.flag == &capture::Flags::excluded_inbound_ports;
    flag = (adds ? flag + "," : "") + std::string(pod.annotation(name));
    said += (said.empty() ? "" : ", ") + std::string(option.annotation);
  }
  auto made = capture::to_redirection(flags);
  if (!made)
    return std::unexpected(
        std::move(made).error().with_context("annotations " + std::string(kPrefix) + " (" + said + ")"));
  const capture::Redirection marks = capture::one_machine();
  made->sidecar_mark = marks.sidecar_mark;
  made->probe_mark = marks.probe_mark;
  return made;
}

}  // namespace weft::local
