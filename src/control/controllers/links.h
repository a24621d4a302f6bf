#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "control/object_snapshot.h"

namespace weft::control {

/// What a topic is about; the words after it are its name.
enum class About : std::uint8_t {
  kSpec,                      ///< uid, generation: only tells whether two states of an object say the same
  kService,                   ///< host: that it is there, its ports, what it is an alias of
  kServicesOf,                ///< namespace: which Services it has
  kServicesNamed,             ///< name: in which namespaces such a Service is
  kServicePods,               ///< host: the pods behind it
  kEndpoints,                 ///< host: their labels, and those that are promised
  kAddress,                   ///< cluster IP
  kNodePort,                  ///< number
  kNodePorts,                 ///< any of them
  kPod,                       ///< namespace, name: its labels and its address
  kPodsLabelled,              ///< namespace, label, value: any change of such a pod
  kPodLabel,                  ///< label, value: such pods come or go, in any namespace; no words: any pod
  kGatewayPods,               ///< pods that are gateways come or go
  kIngressAddresses,          ///< where the gateways of a cluster can be reached
  kTemplateLabel,             ///< namespace, label, value: what makes such pods; namespace alone: any pods
  kOwner,                     ///< uid: what it owns
  kSlicesNamed,               ///< namespace, name but for its last part
  kHostRules,                 ///< host: VirtualServices of the mesh that name it
  kDestinationRules,          ///< host
  kWildcardDestinationRules,  ///< those for "*.example.com", which may hold for any host
  kGateway,                   ///< "namespace/name" of Istio's: its servers, and where its pods run
  kGateways,                  ///< any of Istio's
  kGatewayPort,               ///< number, "tcp" or "http": servers at it
  kTcpRules,                  ///< "namespace/name" of Istio's Gateway: TCP routes at it
  kIngressClass,              ///< name
  kIngressPath,               ///< host, path, type
  kGatewayClass,              ///< name
  kApiGateway,                ///< namespace, name
  kRoutesOf,                  ///< namespace, name of the Gateway
  kGrants,                    ///< namespace: what its ReferenceGrants let in
  kNamespace,                 ///< name
  kPart,                      ///< kind, namespace, name: what a Gateway may run as
};

/// A name that one object says and another asks for, as a number. Two that differ may have one number by
/// chance; then an object is looked at that need not be.
enum class Topic : std::uint64_t {};
Topic topic(About about, std::string_view a = {}, std::string_view b = {}, std::string_view c = {});

/// How one object hangs together with others, in topics, told by that object alone. This is where it says
/// which changes of others can change what a controller has to say or do of an object. When a controller,
/// a remark or a reading of the Gateway API comes to depend on one thing more, it is added here
/// (links_test.cc finds what is missing).
struct Links {
  std::vector<Topic> says;   ///< each change of the object raises them
  std::vector<Topic> shows;  ///< a change after which they are others raises all, those before and after
  std::vector<Topic> asks;   ///< when one is raised the object is looked at
  std::vector<std::pair<Topic, Topic>> passes_on;  ///< when the first is raised, so is the second
  std::vector<Topic> found_by;                     ///< what LinkIndex::found() finds it by
};
/// Of an object of `snapshot`. A pure function of the object and what is read of it.
Links links_of(const ObjectSnapshot& snapshot, const api::Object& object);

/// What a controller looks at, by kind; sorted by namespace, then name.
using Scope = std::map<const api::KindInfo*, std::vector<api::ObjectPtr>>;

/// The links of all objects of one snapshot, carried on from snapshot to snapshot by what has changed between
/// them.
///
/// Owner: ControllerManager; a plan that is given none makes its own. Thread: the loop's.
class LinkIndex {
 public:
  LinkIndex() = default;
  explicit LinkIndex(ObjectSnapshotPtr snapshot) { follow(std::move(snapshot)); }

  /// Goes on to `snapshot`. Costs a comparison of pointers for each object, and more for those that differ.
  void follow(ObjectSnapshotPtr snapshot);
  /// Objects that are found by a topic, by namespace and name. Some may be there by chance (see Topic).
  std::span<const api::ObjectPtr> found(Topic topic) const;
  /// The objects of the present snapshot that what changed in `kinds` since `before` can concern, themselves
  /// among them.
  Scope concerned(const ObjectSnapshot& before, std::span<const api::KindInfo* const> kinds) const;

 private:
  using Holders = std::unordered_map<Topic, std::vector<api::ObjectPtr>>;
  void add(const api::ObjectPtr& object, const ObjectSnapshot& snapshot);
  void remove(const api::ObjectPtr& object);
  void raise(std::vector<Topic> topics, Scope& into) const;

  ObjectSnapshotPtr snapshot_ = std::make_shared<const ObjectSnapshot>();
  Holders asking_, found_;
  std::unordered_map<Topic, std::vector<Topic>> passed_on_;
};

/// Sorted by namespace, then name, each object once.
void tidy(std::vector<api::ObjectPtr>& objects);

}  // namespace weft::control
