#pragma once

#include "api/schema/schema.h"

namespace weft::api {

/// The tables that find_schema chooses from, one file for each group, and those that several of them use.

extern const Schema kObjectMeta;
extern const Schema kTemplateMeta;  ///< of a Pod template: no name is needed
extern const Schema kLabelSelectorSchema;
extern const Schema kPodSpec;
extern const Schema kPodTemplate;

extern const Schema kNamespace;
extern const Schema kService;
extern const Schema kPod;
extern const Schema kServiceAccount;
extern const Schema kConfigMap;
extern const Schema kSecret;

extern const Schema kDeployment;
extern const Schema kReplicaSet;

extern const Schema kEndpointSlice;
extern const Schema kIngress;
extern const Schema kIngressV1Beta1;
extern const Schema kIngressClass;

extern const Schema kGateway;
extern const Schema kVirtualService;
extern const Schema kDestinationRule;

extern const Schema kGatewayClass;
extern const Schema kApiGateway;  ///< the Gateway API's; kGateway is Istio's
extern const Schema kHttpRoute;
extern const Schema kReferenceGrant;

/// The four fields every object has.
constexpr Field api_version() { return text("apiVersion"); }
constexpr Field kind() { return text("kind"); }
constexpr Field metadata() { return object("metadata", kObjectMeta).required(); }
constexpr Field status() { return server_set("status"); }

}  // namespace weft::api
