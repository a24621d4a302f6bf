#include "server.h"

#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "echo.grpc.pb.h"

namespace echo {
namespace {

using namespace weft::samples::echo::v1;

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

class Service final : public Echo::Service {
 public:
  explicit Service(std::string version) : version_(std::move(version)), pod_(host_name()) {}

 private:
  grpc::Status Say(grpc::ServerContext*, const EchoRequest* request, EchoReply* reply) override {
    if (request->status() != 0) return wanted(*request);
    fill(*reply, request->text(), 1);
    return grpc::Status::OK;
  }

  grpc::Status Count(grpc::ServerContext* context, const EchoRequest* request,
                     grpc::ServerWriter<EchoReply>* writer) override {
    for (std::uint32_t i = 1; i <= request->times() && !context->IsCancelled(); ++i) {
      EchoReply reply;
      fill(reply, request->text(), i);
      if (!writer->Write(reply)) break;
      if (i < request->times())
        std::this_thread::sleep_for(std::chrono::milliseconds(request->interval_ms()));
    }
    return request->status() != 0 ? wanted(*request) : grpc::Status::OK;
  }

  grpc::Status Collect(grpc::ServerContext*, grpc::ServerReader<EchoRequest>* reader,
                       EchoReply* reply) override {
    std::uint32_t count = 0;
    EchoRequest request;
    while (reader->Read(&request)) ++count;
    fill(*reply, request.text(), count);
    return grpc::Status::OK;
  }

  grpc::Status Talk(grpc::ServerContext*, grpc::ServerReaderWriter<EchoReply, EchoRequest>* stream) override {
    std::uint32_t count = 0;
    EchoRequest request;
    while (stream->Read(&request)) {
      if (request.status() != 0) return wanted(request);
      EchoReply reply;
      fill(reply, request.text(), ++count);
      if (!stream->Write(reply)) break;
    }
    return grpc::Status::OK;
  }

  static grpc::Status wanted(const EchoRequest& request) {
    return {static_cast<grpc::StatusCode>(request.status()), "as was asked: " + request.text()};
  }

  void fill(EchoReply& reply, const std::string& text, std::uint32_t number) const {
    reply.set_text(text);
    reply.set_version(version_);
    reply.set_pod(pod_);
    reply.set_number(number);
  }

  std::string version_, pod_;
};

}  // namespace

int serve(int port, const std::string& version) {
  // Blocked before gRPC starts its threads, so that only sigwait() takes them.
  sigset_t stops;
  sigemptyset(&stops);
  sigaddset(&stops, SIGTERM);
  sigaddset(&stops, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stops, nullptr);
  Service service(version);
  grpc::ServerBuilder builder;
  int bound = 0;
  builder.AddListeningPort("0.0.0.0:" + std::to_string(port), grpc::InsecureServerCredentials(), &bound);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) {
    std::fprintf(stderr, "grpc-echo: cannot listen on port %d\n", port);
    return 1;
  }
  std::printf("echo %s serves on port %d\n", version.c_str(), bound);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&stops, &signal);
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
  return 0;
}

}  // namespace echo
