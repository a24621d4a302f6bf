#include "api/schema/formats.h"
#include "api/schema/tables.h"

namespace weft::api {
namespace {

constexpr std::string_view kProtocols[] = {"TCP"};
constexpr std::string_view kOtherProtocols[] = {"UDP", "SCTP"};
constexpr Field kPortFields[] = {
    text("name", port_name),
    port("containerPort").required(),
    one_of("protocol", kProtocols).rejecting(kOtherProtocols, "the mesh carries TCP; remove this port"),
    later("hostPort", "publish it through a Gateway or an Ingress"),
    later("hostIP", "publish it through a Gateway or an Ingress"),
};
constexpr Schema kPort{kPortFields};

constexpr Field kKeyFields[] = {text("name", dns_subdomain).required(), text("key", config_key).required(),
                                flag("optional")};
constexpr Schema kKey{kKeyFields};
constexpr Field kFieldReferenceFields[] = {text("fieldPath", not_empty).required(),
                                           text("apiVersion").ignored()};
constexpr Schema kFieldReference{kFieldReferenceFields};
constexpr std::string_view kSources[] = {"fieldRef", "configMapKeyRef", "secretKeyRef"};
constexpr Field kValueFromFields[] = {
    object("fieldRef", kFieldReference),
    object("configMapKeyRef", kKey),
    object("secretKeyRef", kKey),
    later("resourceFieldRef", "write the value"),
};
constexpr Schema kValueFrom{kValueFromFields, kSources, true};
constexpr std::string_view kValueOrSource[] = {"value", "valueFrom"};
constexpr Field kEnvFields[] = {text("name", environment_name).required(), text("value"),
                                object("valueFrom", kValueFrom)};
constexpr Schema kEnv{kEnvFields, kValueOrSource};

constexpr Field kResourcesFields[] = {
    quantity("limits").map().ignored(),
    quantity("requests").map().ignored(),
    later("claims", "remove it"),
};
constexpr Schema kResources{kResourcesFields};

constexpr Field kMountFields[] = {
    text("name", dns_label).required(),
    text("mountPath", absolute_path).required(),
    flag("readOnly"),
    later("subPath", "mount the whole volume"),
    later("subPathExpr", "mount the whole volume"),
    later("mountPropagation", "remove it"),
    later("recursiveReadOnly", "remove it"),
};
constexpr Schema kMount{kMountFields};

constexpr Field kHeaderFields[] = {text("name", header_name).required(), text("value").required()};
constexpr Schema kHeader{kHeaderFields};
constexpr std::string_view kSchemes[] = {"HTTP"};
constexpr std::string_view kOtherSchemes[] = {"HTTPS"};
constexpr Field kHttpGetFields[] = {
    text("path", absolute_path),
    int_or_text("port", port_name_or_number).required(),
    text("host", not_empty),
    one_of("scheme", kSchemes).rejecting(kOtherSchemes, "probe with HTTP or tcpSocket"),
    object("httpHeaders", kHeader).list(),
};
constexpr Schema kHttpGet{kHttpGetFields};
constexpr Field kTcpSocketFields[] = {int_or_text("port", port_name_or_number).required(),
                                      text("host", not_empty)};
constexpr Schema kTcpSocket{kTcpSocketFields};
constexpr Field kExecFields[] = {text("command").list().required()};
constexpr Schema kExec{kExecFields};
constexpr std::string_view kProbeActions[] = {"httpGet", "tcpSocket", "exec"};
constexpr Field kProbeFields[] = {
    object("httpGet", kHttpGet),
    object("tcpSocket", kTcpSocket),
    object("exec", kExec),
    integer("initialDelaySeconds"),
    integer("timeoutSeconds", 1),
    integer("periodSeconds", 1),
    integer("successThreshold", 1),
    integer("failureThreshold", 1),
    later("grpc", "probe with tcpSocket"),
    later("terminationGracePeriodSeconds", "set that of the pod"),
};
constexpr Schema kProbe{kProbeFields, kProbeActions, true};

constexpr Field kCapabilitiesFields[] = {text("add").list(), text("drop").list()};
constexpr Schema kCapabilities{kCapabilitiesFields};
constexpr Field kSeccompFields[] = {text("type").required(), text("localhostProfile")};
constexpr Schema kSeccomp{kSeccompFields};
constexpr Field kSecurityFields[] = {
    integer("runAsUser"),
    integer("runAsGroup"),
    flag("runAsNonRoot"),
    flag("allowPrivilegeEscalation").ignored(),
    flag("readOnlyRootFilesystem").ignored(),
    object("capabilities", kCapabilities).ignored(),
    object("seccompProfile", kSeccomp).ignored(),
    later("privileged", "applications run without privilege"),
    later("procMount", "remove it"),
    later("seLinuxOptions", "remove it"),
    later("appArmorProfile", "remove it"),
    later("windowsOptions", "remove it"),
};
constexpr Schema kSecurity{kSecurityFields};
constexpr Field kPodSecurityFields[] = {
    integer("runAsUser"),
    integer("runAsGroup"),
    flag("runAsNonRoot"),
    integer("fsGroup"),
    text("fsGroupChangePolicy").ignored(),
    object("seccompProfile", kSeccomp).ignored(),
    later("supplementalGroups", "remove it"),
    later("supplementalGroupsPolicy", "remove it"),
    later("sysctls", "remove it"),
    later("seLinuxOptions", "remove it"),
    later("appArmorProfile", "remove it"),
    later("windowsOptions", "remove it"),
};
constexpr Schema kPodSecurity{kPodSecurityFields};

constexpr std::string_view kPullPolicies[] = {"Always", "IfNotPresent", "Never"};
constexpr std::string_view kMessagePolicies[] = {"File", "FallbackToLogsOnError"};
constexpr Field kContainerFields[] = {
    text("name", dns_label).required(),
    text("image", not_empty).required(),
    one_of("imagePullPolicy", kPullPolicies).ignored(),
    text("command").list(),
    text("args").list(),
    text("workingDir"),
    object("ports", kPort).list(),
    object("env", kEnv).list(),
    object("resources", kResources),
    object("volumeMounts", kMount).list(),
    object("securityContext", kSecurity),
    object("readinessProbe", kProbe),
    object("livenessProbe", kProbe),
    object("startupProbe", kProbe),
    text("terminationMessagePath").ignored(),
    one_of("terminationMessagePolicy", kMessagePolicies).ignored(),
    later("envFrom", "list the variables under env"),
    later("lifecycle", "let the application do it itself"),
    later("volumeDevices", "use an emptyDir volume"),
    later("resizePolicy", "remove it"),
    later("restartPolicy", "remove it"),
    later("stdin", "remove it"),
    later("stdinOnce", "remove it"),
    later("tty", "remove it"),
};
constexpr Schema kContainer{kContainerFields};

constexpr Field kEmptyDirFields[] = {text("medium"), quantity("sizeLimit").ignored()};
constexpr Schema kEmptyDir{kEmptyDirFields};
constexpr std::string_view kVolumeAdvice = "use emptyDir";
constexpr Field kVolumeFields[] = {
    text("name", dns_label).required(), object("emptyDir", kEmptyDir),
    later("configMap", kVolumeAdvice),  later("secret", kVolumeAdvice),
    later("hostPath", kVolumeAdvice),   later("persistentVolumeClaim", kVolumeAdvice),
    later("projected", kVolumeAdvice),  later("downwardAPI", kVolumeAdvice),
    later("nfs", kVolumeAdvice),        later("csi", kVolumeAdvice),
    later("ephemeral", kVolumeAdvice),  later("image", kVolumeAdvice),
};
constexpr Schema kVolume{kVolumeFields};

constexpr Field kReferenceFields[] = {text("name", dns_subdomain)};
constexpr Schema kReference{kReferenceFields};
constexpr std::string_view kRestartPolicies[] = {"Always", "OnFailure", "Never"};
constexpr std::string_view kOneNode = "remove it; there is one node";
constexpr std::string_view kOwnNamespaces = "remove it; each pod has namespaces of its own";
constexpr Field kPodSpecFields[] = {
    object("containers", kContainer).list().required(),
    object("volumes", kVolume).list(),
    one_of("restartPolicy", kRestartPolicies),
    integer("terminationGracePeriodSeconds"),
    text("dnsPolicy").ignored(),
    text("serviceAccountName", dns_subdomain),
    text("serviceAccount", dns_subdomain),
    flag("automountServiceAccountToken").ignored(),
    object("securityContext", kPodSecurity),
    object("imagePullSecrets", kReference).list().ignored(),
    text("nodeName"),
    text("schedulerName").ignored(),
    flag("enableServiceLinks").ignored(),
    integer("priority", -2147483648).ignored(),
    text("preemptionPolicy").ignored(),
    later("initContainers", "do it in the application's command"),
    later("ephemeralContainers"),
    later("activeDeadlineSeconds", "remove it"),
    later("dnsConfig", "remove it"),
    later("nodeSelector", kOneNode),
    later("affinity", kOneNode),
    later("tolerations", kOneNode),
    later("topologySpreadConstraints", kOneNode),
    later("priorityClassName", "remove it"),
    later("runtimeClassName", "remove it"),
    later("overhead", "remove it"),
    later("hostNetwork", kOwnNamespaces),
    later("hostPID", kOwnNamespaces),
    later("hostIPC", kOwnNamespaces),
    later("hostUsers", kOwnNamespaces).even_empty(),
    later("shareProcessNamespace", kOwnNamespaces),
    later("hostname", "remove it; it is the pod's name"),
    later("subdomain", "remove it"),
    later("setHostnameAsFQDN", "remove it"),
    later("hostAliases", "remove it; Services have names by themselves"),
    later("readinessGates", "use a readinessProbe"),
    later("resourceClaims", "remove it"),
    later("schedulingGates", "remove it"),
    later("os", "remove it"),
};
constexpr Field kPodTemplateFields[] = {object("metadata", kTemplateMeta),
                                        object("spec", kPodSpec).required()};
constexpr Field kPodFields[] = {api_version(), kind(), metadata(), object("spec", kPodSpec).required(),
                                status()};

}  // namespace

constexpr Schema kPodSpec{kPodSpecFields};
constexpr Schema kPodTemplate{kPodTemplateFields};
constexpr Schema kPod{kPodFields};

}  // namespace weft::api
