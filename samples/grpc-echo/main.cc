#include <CLI/CLI.hpp>
#include <cstdlib>

#include "client.h"
#include "server.h"

int main(int argc, char** argv) {
  CLI::App app("A gRPC service that responds with what it was sent, and its client.");
  app.require_subcommand(1);
  int port = 9000;
  std::string version = "v1";
  auto* const serve = app.add_subcommand("serve", "serve calls until SIGTERM");
  serve->add_option("--port", port, "port to listen on")->capture_default_str();
  serve->add_option("--version", version, "what each reply says of its sender")->capture_default_str();
  echo::Calls calls;
  auto* const call = app.add_subcommand("call", "make calls and print what comes back");
  call->add_option("method", calls.method, "which method")
      ->check(CLI::IsMember({"say", "count", "collect", "talk"}))
      ->required();
  call->add_option("--to", calls.to, "HOST:PORT")->capture_default_str();
  call->add_option("--text", calls.text, "what to say")->capture_default_str();
  call->add_option("--times", calls.times, "calls of say, messages of the others")->capture_default_str();
  call->add_option("--interval", calls.interval_ms, "milliseconds between them")->capture_default_str();
  call->add_option("--deadline", calls.deadline_ms, "milliseconds for each call; 0: none");
  call->add_option("--status", calls.status, "the gRPC status that the server is to end with");
  CLI11_PARSE(app, argc, argv);
  return serve->parsed() ? echo::serve(port, version) : echo::call(calls);
}
