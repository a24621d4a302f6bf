#pragma once

#include "api/object.h"

namespace weft::store {

/// Takes out of an object what weft does not read, before a copy of it is kept:
/// * of every kind metadata.managedFields and the annotation of kubectl apply;
/// * Pod: volumes, tolerations, affinity, topologySpreadConstraints; of containers command, args, env,
///   envFrom, volumeMounts, lifecycle; of their statuses ids, resources and mounts;
/// * Deployment, ReplicaSet: the pod template's spec, but of those that were made for a Gateway;
/// * ServiceAccount: secrets, imagePullSecrets;
/// * Secret: data of the types that cannot be a certificate: service-account-token, dockercfg,
///   dockerconfigjson, basic-auth, ssh-auth, bootstrap token, Helm's releases.
/// An object that lost something says so by an empty metadata.managedFields, which no server sends. Any
/// thread.
void trim(api::Json& body, const api::KindInfo& kind);

/// Puts back into a trimmed object that was changed what it lost, from the whole one as it is now; items of
/// lists are matched by name. Does nothing to an object that was never trimmed: what is absent there is meant
/// to be absent.
void restore(api::Json& body, const api::Json& whole, const api::KindInfo& kind);

}  // namespace weft::store
