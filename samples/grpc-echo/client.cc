#include "client.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "echo.grpc.pb.h"

namespace echo {
namespace {

using namespace weft::samples::echo::v1;

class Client {
 public:
  explicit Client(const Calls& calls)
      : calls_(calls),
        stub_(Echo::NewStub(grpc::CreateChannel(calls.to, grpc::InsecureChannelCredentials()))) {}

  int run() {
    if (calls_.method == "count") return told(count());
    if (calls_.method == "collect") return told(collect());
    if (calls_.method == "talk") return told(talk());
    int last = 0;
    for (unsigned i = 0; i < calls_.times; ++i) {
      if (i > 0) pause();
      if (const int status = told(say()); status != 0) last = status;
    }
    return last;
  }

 private:
  std::unique_ptr<grpc::ClientContext> context() const {
    auto context = std::make_unique<grpc::ClientContext>();
    context->set_wait_for_ready(false);
    if (calls_.deadline_ms)
      context->set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(calls_.deadline_ms));
    return context;
  }
  EchoRequest request() const {
    EchoRequest request;
    request.set_text(calls_.text);
    request.set_times(calls_.times);
    request.set_interval_ms(calls_.interval_ms);
    request.set_status(calls_.status);
    return request;
  }
  void pause() const { std::this_thread::sleep_for(std::chrono::milliseconds(calls_.interval_ms)); }

  static void print(const EchoReply& reply) {
    std::printf("%s %s says %s (%u)\n", reply.version().c_str(), reply.pod().c_str(), reply.text().c_str(),
                reply.number());
    std::fflush(stdout);
  }
  static int told(const grpc::Status& status) {
    if (!status.ok()) {
      std::printf("status %d: %s\n", status.error_code(), status.error_message().c_str());
      std::fflush(stdout);
    }
    return status.error_code();
  }

  grpc::Status say() {
    const auto of = context();
    EchoReply reply;
    grpc::Status status = stub_->Say(of.get(), request(), &reply);
    if (status.ok()) print(reply);
    return status;
  }
  grpc::Status count() {
    const auto of = context();
    const auto reader = stub_->Count(of.get(), request());
    EchoReply reply;
    while (reader->Read(&reply)) print(reply);
    return reader->Finish();
  }
  grpc::Status collect() {
    const auto of = context();
    EchoReply reply;
    const auto writer = stub_->Collect(of.get(), &reply);
    for (unsigned i = 0; i < calls_.times && writer->Write(request()); ++i) pause();
    writer->WritesDone();
    grpc::Status status = writer->Finish();
    if (status.ok()) print(reply);
    return status;
  }
  grpc::Status talk() {
    const auto of = context();
    const auto stream = stub_->Talk(of.get());
    EchoReply reply;
    for (unsigned i = 0; i < calls_.times && stream->Write(request()) && stream->Read(&reply); ++i) {
      print(reply);
      pause();
    }
    stream->WritesDone();
    return stream->Finish();
  }

  Calls calls_;
  std::unique_ptr<Echo::Stub> stub_;
};

}  // namespace

int call(const Calls& calls) { return Client(calls).run(); }

}  // namespace echo
