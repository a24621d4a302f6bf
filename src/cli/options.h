#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace weft::cli {

/// What every command may be given.
struct GlobalOptions {
  std::string instance = "default";  ///< --name, or WEFT_INSTANCE
  std::string ns = "default";        ///< -n
  /// How long one request to the control plane may take; 0: forever.
  std::chrono::seconds request_timeout{10};
};

enum class Format : std::uint8_t { kTable, kWide, kYaml, kJson, kName, kJsonPath };

/// How a list is printed: -o, and for kJsonPath the template behind it.
struct Output {
  Format format = Format::kTable;
  std::string json_path;
};

/// Who looks at what would be done: only this command, or the API server too, as if it were done.
enum class DryRun : std::uint8_t { kNone, kClient, kServer };

/// One struct per command: what its line said, checked for form and for nothing else.
struct UpOptions {
  std::vector<std::string> files;
  bool detach = false;
  std::string isolation = "auto";
  std::uint16_t ingress_port = 8080;
  std::vector<std::string> images;  ///< NAME=COMMAND
};
struct DownOptions {
  bool purge = false;
};
struct ApplyOptions {
  std::vector<std::string> files;
  std::string kustomization = {};  ///< -k: a folder with a kustomization.yaml
  bool recursive = false;
  DryRun dry_run = DryRun::kNone;
  bool wait = true;
  std::chrono::seconds timeout{30};
};
struct DeleteOptions {
  std::vector<std::string> resources;
  std::vector<std::string> files;
  std::string kustomization = {};
  bool recursive = false;
  bool all = false;
  std::string selector;
  bool ignore_not_found = false;
  bool wait = true;
  std::chrono::seconds timeout{60};
};
struct GetOptions {
  std::vector<std::string> resources;
  Output output;
  bool all_namespaces = false;
  bool watch = false;
  bool no_headers = false;
  bool show_labels = false;
  bool ignore_not_found = false;
  std::string selector;
};
struct DescribeOptions {
  std::vector<std::string> resources;
  std::string selector;
  bool all_namespaces = false;
};
struct LogsOptions {
  std::string resource;  ///< a pod's name, pod/NAME or deploy/NAME
  std::string container;
  std::string selector;  ///< -l: of all pods that it matches
  bool all_containers = false;
  bool previous = false;
  bool follow = false;
  std::optional<std::uint64_t> tail;                                ///< nullopt: everything
  std::optional<std::chrono::system_clock::time_point> since = {};  ///< only lines of then and later
};
struct ScaleOptions {
  std::vector<std::string> resources;
  std::uint32_t replicas = 0;
  bool wait = true;
  std::chrono::seconds timeout{60};
};
struct ProxyStatusOptions {
  Output output;
  std::string proxy;  ///< empty: all
};
struct ProxyConfigOptions {
  enum class What : std::uint8_t { kListeners, kRoutes, kClusters, kEndpoints };
  What what = What::kListeners;
  std::string pod;
  /// What --name said here: an instance of ours, or as istioctl has it a route's name.
  std::vector<std::string> names;
  std::string port, fqdn;  ///< only resources of that port, or of that service; empty: of all
  Output output;
};
struct KubeInjectOptions {
  enum class Form : std::uint8_t { kByCluster, kNative, kClassic };
  std::string file;
  std::string output;  ///< empty: standard output
  Form form = Form::kByCluster;
  bool keep_api_versions = false;
  std::string settings_file, image;
};
/// Which cluster a command speaks with; as kubectl's options of the same names.
struct ClusterOptions {
  std::string kubeconfig, context;  ///< empty: $KUBECONFIG or ~/.kube/config, and its current context
};
struct InstallOptions {
  std::string profile = "default";
  std::vector<std::string> sets;  ///< KEY=VALUE
  std::string output;             ///< empty: standard output
};
struct UninstallOptions {
  ClusterOptions cluster;
  std::string profile = "default";  ///< of what print prints
  bool yes = false;
  DryRun dry_run = DryRun::kNone;
  bool print = false;
  std::chrono::seconds timeout{90};
};
struct CheckOptions {
  enum class When : std::uint8_t { kByCluster, kBefore, kAfter };
  ClusterOptions cluster;
  When when = When::kByCluster;
  std::string profile = "default";
  std::vector<std::string> sets;
  Output output;
};
struct VersionOptions {
  Output output;
};
/// Text that is the whole result: help.
struct HelpOptions {
  std::string text;
};

using Command =
    std::variant<UpOptions, DownOptions, ApplyOptions, DeleteOptions, GetOptions, DescribeOptions,
                 LogsOptions, ScaleOptions, ProxyStatusOptions, ProxyConfigOptions, KubeInjectOptions,
                 InstallOptions, UninstallOptions, CheckOptions, VersionOptions, HelpOptions>;

struct Invocation {
  GlobalOptions global;
  Command command;
};

}  // namespace weft::cli
