#include "app/testing/simulated_control.h"

namespace weft::app::testing {

SimulatedControl::SimulatedControl(net::Loop& loop, store::Store& store, std::uint64_t seed) {
  auto registrations = std::make_unique<control::Registrations>();
  registrations_ = registrations.get();
  control::ControlPlaneOptions options;
  options.cache.random = Random(seed);
  options.random = Random(seed + 1);
  // Those that a mesh without Deployments, Ingresses and Gateways has work for: each run of each reads every
  // object.
  std::erase_if(options.controllers, [](const control::Controller& one) {
    return one.name != "services" && one.name != "endpointslices" && one.name != "rules";
  });
  options.cpu_time = [] { return Duration::zero(); };  // simulated time does not wait for a slow machine
  plane_ = std::make_unique<control::ControlPlane>(loop, store, std::move(registrations), std::move(options));
  plane_->start();
  tasks_.spawn(serve());
}

void SimulatedControl::add_process(int pid, const std::string& pod) {
  registrations_->take_line("add " + std::to_string(pid) + " 0 default " + pod + " default");
}

void SimulatedControl::remove_process(int pid) { registrations_->take_line("remove " + std::to_string(pid)); }

net::Task<void> SimulatedControl::serve() {
  co_await plane_->ready();
  std::map<std::string, http::grpc::Method> methods;
  for (const char* path : {control::AdsServer::kPath, control::AdsServer::kDeltaPath})
    methods[path] = [this](http::grpc::Call call) { return plane_->serve_proxy(std::move(call)); };
  server_ = http::grpc::Server::without_port(std::move(methods));
}

void SimulatedControl::accept(std::unique_ptr<net::Stream> stream, int pid) {
  server_->serve(std::move(stream), {.pid = pid, .uid = 0, .gid = 0});
}

}  // namespace weft::app::testing
