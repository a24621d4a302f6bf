#include "app/supervise.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "base/log.h"
#include "local/supervisor.h"

namespace weft::app {
namespace {

void report(int fd, const std::string& text) {
  if (fd >= 0) static_cast<void>(!::write(fd, text.data(), text.size()));
}

}  // namespace

int supervise_main(int argc, char** argv) {
  local::Supervisor::Options options;
  CLI::App command("Process 1 of an instance of the mesh. 'weft up' starts it; it is not for typing.",
                   "weft supervise");
  command.add_option("--state-dir", options.state_dir)->required();
  command.add_option("--weft", options.weft_program)->required();
  command.add_option("--proxy", options.proxy_program)->required();
  command.add_option("--bookinfo", options.bookinfo_program)->required();
  command.add_option("--image", options.images)->allow_extra_args(false);
  command.add_option("--ingress", options.ingress);
  command.add_option("--ingress-fd", options.ingress_fd);
  command.add_option("--lifeline-fd", options.lifeline_fd);
  command.add_option("--report-fd", options.report_fd);
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : 2;
  }
  log::set_level(log::Level::kInfo);
  const auto done = local::Supervisor::run(options);
  if (done) return 0;
  WEFT_LOG(kError, "local", "cannot start", {"error", done.error().text});
  report(options.report_fd, "error: " + done.error().text);
  return 1;
}

}  // namespace weft::app
