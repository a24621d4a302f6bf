#include <gtest/gtest.h>

#include "app/testing/mesh_model.h"
#include "app/testing/simulated_mesh.h"
#include "base/log.h"

namespace weft::app {
namespace {

using testing::MeshModel;
using testing::ModelRule;
using testing::SimulatedMesh;
using testing::Wire;

/// A client with a sidecar, and service "a" with a pod of each version.
class MeshSimulation : public ::testing::Test {
 protected:
  MeshSimulation() : mesh(1) {
    log::set_level(log::Level::kOff);
    model.services["a"];
    mesh.store().put(model.service_object("a"));
    add_pod("client", {.service = {}, .version = "v1", .ip = "10.244.0.1", .sidecar = true});
    add_pod("a-1", {.service = "a", .version = "v1", .ip = "10.244.0.2", .sidecar = true});
    add_pod("a-2", {.service = "a", .version = "v2", .ip = "10.244.0.3"});
    mesh.start_control();
    mesh.loop().advance(1s);
  }

  ~MeshSimulation() override { log::set_level(logged_before); }

  void add_pod(const std::string& name, MeshModel::Pod pod) {
    model.pods[name] = pod;
    mesh.start_application(name, pod.ip);
    mesh.store().put(model.pod_object(name));
    if (pod.sidecar) mesh.start_sidecar(name);
  }

  void route_to(const std::string& version) {
    model.services["a"].subsets = {{"v1", "v2"}};
    model.services["a"].rule = ModelRule{ModelRule::Kind::kSubset, version, {}};
    mesh.store().put(model.destination_rule_object("a"));
    mesh.store().put(model.rule_object("a"));
  }

  SimulatedMesh::Answer get() {
    const std::string ip = mesh.store().all(control::kinds::service()).at(0)->spec()["clusterIP"];
    SimulatedMesh::Request request{.from = "client", .ip = ip, .host = "a", .token = "t", .variant = {}};
    SimulatedMesh::Answer answer;
    net::TaskScope scope;
    scope.spawn(ask(request, answer));
    mesh.loop().advance(1s);
    EXPECT_EQ(scope.active(), 0u);
    return answer;
  }
  net::Task<void> ask(SimulatedMesh::Request request, SimulatedMesh::Answer& into) {
    into = co_await mesh.ask(std::move(request));
  }

  const log::Level logged_before = log::level();
  SimulatedMesh mesh;
  MeshModel model;
};

TEST_F(MeshSimulation, a_request_goes_through_the_sidecars_to_a_pod_that_the_rule_names) {
  route_to("v1");
  mesh.loop().advance(1s);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get().pod, "a-1");
  EXPECT_EQ(mesh.sidecar("a-1")->sum_of("downstream_rq_total"), 5u);
  route_to("v2");
  mesh.loop().advance(1s);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get().pod, "a-2");
}

TEST_F(MeshSimulation, endpoints_follow_a_pod_however_often_it_changes) {
  for (const bool ready : {false, true, false, true}) {
    model.pods["a-1"].ready = ready;
    model.pods["a-2"].ready = !ready;
    mesh.store().put(model.pod_object("a-1"));
    mesh.store().put(model.pod_object("a-2"));
    mesh.loop().advance(1s);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(get().pod, ready ? "a-1" : "a-2");
  }
}

TEST_F(MeshSimulation, a_sidecar_whose_connection_stalls_has_the_rule_when_it_can_be_reached_again) {
  route_to("v1");
  mesh.loop().advance(1s);
  for (const auto& wire : mesh.wires()) wire->fail_after(10, Wire::Fault::kStall);
  route_to("v2");
  mesh.loop().advance(1s);
  EXPECT_EQ(get().pod, "a-1");
  for (const auto& wire : mesh.wires()) wire->heal();
  mesh.loop().advance(1s);
  EXPECT_EQ(get().pod, "a-2");
}

TEST_F(MeshSimulation, requests_are_served_while_there_is_no_control_plane_and_the_next_one_is_found) {
  route_to("v1");
  mesh.loop().advance(1s);
  mesh.stop_control();
  route_to("v2");
  mesh.loop().advance(60s);
  EXPECT_EQ(get().pod, "a-1");
  mesh.start_control();
  mesh.loop().advance(20s);
  EXPECT_EQ(get().pod, "a-2");
}

}  // namespace
}  // namespace weft::app
