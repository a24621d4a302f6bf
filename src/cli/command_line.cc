#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <array>
#include <map>
#include <memory>
#include <utility>

#include "api/duration.h"
#include "api/schema/formats.h"
#include "base/strings.h"
#include "cli/help_text.h"
#include "cli/log_times.h"
#include "cli/other_tools.h"
#include "install/names.h"

namespace weft::cli {
namespace {

constexpr std::array<std::pair<std::string_view, Format>, 5> kFormats = {{
    {"wide", Format::kWide},
    {"yaml", Format::kYaml},
    {"json", Format::kJson},
    {"name", Format::kName},
    {"table", Format::kTable},
}};
using What = ProxyConfigOptions::What;
const std::map<std::string, What> kWhats = {
    {"listeners", What::kListeners}, {"listener", What::kListeners}, {"l", What::kListeners},
    {"routes", What::kRoutes},       {"route", What::kRoutes},       {"r", What::kRoutes},
    {"clusters", What::kClusters},   {"cluster", What::kClusters},   {"c", What::kClusters},
    {"endpoints", What::kEndpoints}, {"endpoint", What::kEndpoints}, {"ep", What::kEndpoints},
};

/// The text in lines that a terminal of 100 columns shows whole.
std::string wrapped(std::string_view text) {
  constexpr std::size_t kWidth = 100;
  std::string lines;
  std::size_t column = 0;
  for (std::string_view word : split(text, ' ')) {
    if (column > 0) lines += column + 1 + word.size() > kWidth ? '\n' : ' ';
    column = lines.ends_with('\n') ? word.size() : column + 1 + word.size();
    lines += word;
  }
  return lines;
}

/// Which values -o has for a command.
enum class Formats { kAll, kObjects, kJsonOnly };

void parse_output(const std::string& text, Formats allowed, Output& output) {
  const std::string_view known = allowed == Formats::kAll       ? "wide, yaml, json, name or jsonpath='{...}'"
                                 : allowed == Formats::kObjects ? "table, yaml or json"
                                                                : "table or json";
  if (text.starts_with("jsonpath=") && allowed == Formats::kAll) {
    output = {Format::kJsonPath, text.substr(9)};
    return;
  }
  for (const auto& [name, format] : kFormats) {
    const bool fits = allowed == Formats::kAll || format == Format::kJson || format == Format::kTable ||
                      (allowed == Formats::kObjects && format == Format::kYaml);
    if (name == text && fits) {
      output.format = format;
      return;
    }
  }
  throw CLI::ValidationError("-o",
                             "\"" + text + "\" is not an output format; it may be " + std::string(known));
}

/// Help in plain text: without the parser's own for what excludes what and for the value of a flag.
class PlainFormatter final : public CLI::Formatter {
 public:
  std::string make_option_name(const CLI::Option* option, bool positional) const override {
    std::string name = CLI::Formatter::make_option_name(option, positional);
    if (const auto brace = name.find('{'); brace != name.npos) name.erase(brace, name.find('}') + 1 - brace);
    return name;
  }
  /// Without the option that is taken only to say how it is written rightly.
  std::string make_usage(const CLI::App* app, std::string name) const override {
    constexpr std::string_view kMisplaced = " [FILE...]";
    std::string usage = CLI::Formatter::make_usage(app, std::move(name));
    if (const auto at = usage.find(kMisplaced); at != usage.npos) usage.erase(at, kMisplaced.size());
    return usage;
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string type = option->get_type_name();
    return type.empty() ? "" : " " + type;
  }
};

/// The grammar of the command line and the options it fills. CLI11 throws; nothing leaves parse().
class Parser {
 public:
  explicit Parser(std::string instance) : app_(std::string(kPurpose), "weft") {
    global_.instance = std::move(instance);
    app_.footer(std::string(kFooter));
    app_.formatter(std::make_shared<PlainFormatter>());
    app_.require_subcommand(0, 1);
    app_.add_flag_callback(
        "--version", [this] { take_ = [this] { return Command(version_); }; }, "the version of this program");
    app_.add_option("--name", global_.instance,
                    "the instance of the mesh (or WEFT_INSTANCE; default: default)");
    app_.add_option("-n,--namespace", global_.ns, "the namespace (default: default)");
    add_duration(app_, "--request-timeout", global_.request_timeout,
                 "how long one response of the control plane may take (default: 10s; 0: no limit)");
    declare_up();
    declare_down();
    declare_apply();
    declare_delete();
    declare_get();
    declare_describe();
    declare_logs();
    declare_scale();
    declare_proxy_status();
    declare_proxy_config();
    declare_kube_inject();
    declare_install();
    declare_uninstall();
    declare_check();
    declare_others();
    name_values(app_);
    for (CLI::App* each : app_.get_subcommands([](CLI::App*) { return true; })) name_values(*each);
  }

  Result<Invocation> parse(const std::vector<std::string>& arguments) {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
      app_.parse(std::move(reversed));
      return chosen();
    } catch (const CLI::CallForHelp&) {
      return Invocation{global_, HelpOptions{help_asked_for()}};
    } catch (const CLI::Error& error) {
      return fail(usage(error.what()));
    }
  }

 private:
  CLI::App& command(const char* name, const CommandText& text, const char* group) {
    CLI::App& added = *app_.add_subcommand(name, std::string(text.summary));
    added.fallthrough();
    added.group(group);
    added.footer("Examples:\n" + std::string(text.examples) + "\n" + std::string(kGlobalFooter));
    purposes_[&added] = text.purpose;
    return added;
  }

  /// What stands for an option's value in help texts.
  static void name_values(CLI::App& command) {
    static constexpr std::pair<std::string_view, const char*> kNames[] = {
        {"--filename", "FILE"},        {"--name", "INSTANCE"},      {"--namespace", "NAMESPACE"},
        {"--output", "FORMAT"},        {"--selector", "LABELS"},    {"--timeout", "TIME"},
        {"--request-timeout", "TIME"}, {"--kustomize", "FOLDER"},   {"--port", "PORT"},
        {"--fqdn", "SERVICE"},         {"--isolation", "MODE"},     {"--ingress-port", "PORT"},
        {"--container", "NAME"},       {"--image", "NAME=COMMAND"}, {"--tail", "N"},
        {"--replicas", "N"},
    };
    for (CLI::Option* option : command.get_options()) {
      if (option->get_positional()) option->type_name("");
      for (const auto& [name, value] : kNames)
        if (option->get_name() == name && option->get_type_name() != "FILE") option->type_name(value);
    }
  }

  static void add_files(CLI::App& to, std::vector<std::string>& files, bool& recursive) {
    to.add_option("-f,--filename", files, "a file, a folder, or - for standard input; may be repeated")
        ->allow_extra_args(false);
    to.add_flag("-R,--recursive", recursive, "folders below a given folder too");
  }
  static void add_kustomization(CLI::App& to, std::string& folder) {
    to.add_option("-k,--kustomize", folder, "a folder with a kustomization.yaml");
  }
  static void add_duration(CLI::App& to, const char* name, std::chrono::seconds& duration,
                           const std::string& text) {
    const auto read = [name, &duration](const std::string& value) {
      const bool bare = !value.empty() && value.find_first_not_of("0123456789") == value.npos;
      const auto parsed = api::parse_duration(bare ? value + "s" : value);
      if (!parsed) throw CLI::ValidationError(name, parsed.error().text + "; right would be 30s or 2m");
      duration = std::chrono::ceil<std::chrono::seconds>(*parsed);
    };
    to.add_option_function<std::string>(name, read, text);
  }
  static void add_timeout(CLI::App& to, std::chrono::seconds& timeout) {
    add_duration(to, "--timeout", timeout,
                 "how long to wait (default: " + std::to_string(timeout.count()) + "s)");
  }
  static void add_output(CLI::App& to, Formats allowed, Output& output, const char* text) {
    const auto read = [allowed, &output](const std::string& value) { parse_output(value, allowed, output); };
    to.add_option_function<std::string>("-o,--output", read, text);
  }
  static void add_wait(CLI::App& to, bool& wait, const char* until) {
    to.add_flag("--wait,!--no-wait", wait, until);
  }
  /// kubectl's three values; alone it is client.
  static void add_dry_run(CLI::App& to, DryRun& dry_run) {
    const auto read = [&dry_run](const CLI::results_t& given) {
      const std::string& value = given.back();
      if (!value.empty() && value != "true" && value != "client" && value != "server" && value != "none" &&
          value != "false")
        throw CLI::ValidationError("--dry-run=" + value + ": it may be client, server or none");
      dry_run = value == "server"                     ? DryRun::kServer
                : value == "none" || value == "false" ? DryRun::kNone
                                                      : DryRun::kClient;
      return true;
    };
    to.add_option(
          "--dry-run", read,
          "only say what would be done; =server: ask the API server too, which checks and keeps nothing")
        ->expected(0)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->type_name("");
  }
  void take_logs() {
    read_since();
    if (logs_words_.empty() == logs_.selector.empty())
      throw CLI::ValidationError("whose? POD, or -l with labels, names one or the other");
    if (!logs_words_.empty()) logs_.resource = logs_words_.front();
    if (logs_words_.size() == 2) {
      if (!logs_.container.empty()) throw CLI::ValidationError("a container is named twice");
      logs_.container = logs_words_.back();
    }
    if (logs_.all_containers && !logs_.container.empty())
      throw CLI::ValidationError("--all-containers and a container exclude each other");
    if (logs_.follow && (logs_.all_containers || !logs_.selector.empty() || logs_.previous))
      throw CLI::ValidationError("-f follows one container that runs; name it");
    take_ = [this] { return Command(std::move(logs_)); };
  }

  void read_since() {
    if (!since_.empty() && !since_time_.empty())
      throw CLI::ValidationError("--since and --since-time exclude each other");
    if (!since_.empty()) {
      const auto past = api::parse_duration(since_);
      if (!past) throw CLI::ValidationError("--since", past.error().text + "; right would be 30s or 5m");
      logs_.since = std::chrono::system_clock::now() -
                    std::chrono::duration_cast<std::chrono::system_clock::duration>(*past);
    }
    if (!since_time_.empty()) {
      logs_.since = parse_rfc3339(since_time_);
      if (!logs_.since)
        throw CLI::ValidationError("--since-time", "\"" + since_time_ +
                                                       "\" is not an RFC 3339 time; right would be "
                                                       "2026-01-31T09:30:00Z");
    }
  }

  void declare_up() {
    CLI::App& up = command("up", kUp, kMeshGroup);
    up.add_option("-f,--filename", up_.files, "what to apply first: a file or a folder; may be repeated")
        ->allow_extra_args(false);
    up.add_flag("-d,--detach", up_.detach, "return when every pod is ready; the mesh goes on");
    up.add_option("--isolation", up_.isolation, "how pods are kept apart: auto or netns")
        ->check(CLI::IsMember({"auto", "netns", "loopback"}).description(""));
    up.add_option("--ingress-port", up_.ingress_port, "the port of the ingress on 127.0.0.1 (default: 8080)")
        ->check(CLI::Range(1, 65535).description(""));
    up.add_option("--image", up_.images, "NAME=COMMAND: the local command of an image; may be repeated")
        ->allow_extra_args(false)
        ->check([](const std::string& text) {
          const auto equals = text.find('=');
          const bool good = equals != text.npos && equals > 0 && equals + 1 < text.size();
          return good ? std::string() : "\"" + text + "\" is not NAME=COMMAND";
        });
    choose(up, up_);
  }
  void declare_down() {
    CLI::App& down = command("down", kDown, kMeshGroup);
    down.add_flag("--purge", down_.purge, "forget the objects too");
    choose(down, down_);
  }
  void declare_apply() {
    CLI::App& apply = command("apply", kApply, kObjectGroup);
    add_files(apply, apply_.files, apply_.recursive);
    add_kustomization(apply, apply_.kustomization);
    apply.add_option("FILE", misplaced_)->group("");
    add_dry_run(apply, apply_.dry_run);
    add_wait(apply, apply_.wait, "return when every proxy runs the change (default), or at once");
    add_timeout(apply, apply_.timeout);
    apply.callback([this] {
      if (!misplaced_.empty())
        throw CLI::ValidationError("write -f before the name of a file: weft apply -f " + misplaced_.front());
      if (apply_.files.empty() && apply_.kustomization.empty())
        throw CLI::ValidationError("which objects? -f,--filename FILE or -k,--kustomize FOLDER names them");
      take_ = [this] { return Command(std::move(apply_)); };
    });
  }
  void declare_delete() {
    CLI::App& remove = command("delete", kDelete, kObjectGroup);
    remove.add_option("RESOURCE", delete_.resources, "TYPE NAME..., TYPE/NAME... or TYPE with --all or -l");
    add_files(remove, delete_.files, delete_.recursive);
    add_kustomization(remove, delete_.kustomization);
    remove.add_flag("--all", delete_.all, "every object of the type in the namespace");
    remove.add_option("-l,--selector", delete_.selector, "those with these labels");
    remove.add_flag("--ignore-not-found", delete_.ignore_not_found, "what is not there is not an error");
    add_wait(remove, delete_.wait, "return when they are gone (default), or at once");
    add_timeout(remove, delete_.timeout);
    choose(remove, delete_);
  }
  void declare_get() {
    CLI::App& get = command("get", kGet, kObjectGroup);
    get.add_option("RESOURCE", get_.resources, "TYPE[,TYPE...] [NAME...], TYPE/NAME... or all")->required();
    add_output(get, Formats::kAll, get_.output, "wide, yaml, json, name or jsonpath='{...}'");
    get.add_flag("-w,--watch", get_.watch, "go on and print each change");
    get.add_flag("-A,--all-namespaces", get_.all_namespaces, "of all namespaces");
    get.add_option("-l,--selector", get_.selector, "only those with these labels: app=reviews,version!=v1");
    get.add_flag("--no-headers", get_.no_headers, "without the line of column names");
    get.add_flag("--show-labels", get_.show_labels, "with the labels as the last column");
    get.add_flag("--ignore-not-found", get_.ignore_not_found, "what is not there is not an error");
    choose(get, get_);
  }
  void declare_describe() {
    CLI::App& describe = command("describe", kDescribe, kObjectGroup);
    describe.add_option("RESOURCE", describe_.resources, "TYPE [NAME...] or TYPE/NAME...")->required();
    describe.add_option("-l,--selector", describe_.selector, "those with these labels");
    describe.add_flag("-A,--all-namespaces", describe_.all_namespaces, "of all namespaces");
    choose(describe, describe_);
  }
  void declare_logs() {
    CLI::App& logs = command("logs", kLogs, kObjectGroup);
    logs.add_option("POD", logs_words_,
                    "a pod's name, or TYPE/NAME such as deploy/reviews-v1; and perhaps a container")
        ->expected(0, 2);
    logs.add_option("-l,--selector", logs_.selector, "of all pods with these labels");
    logs.add_option("-c,--container", logs_.container,
                    "the container (default: the application; istio-proxy: the sidecar)");
    logs.add_flag("--all-containers", logs_.all_containers, "of all containers of a pod");
    logs.add_flag("-p,--previous", logs_.previous, "of the container before its last restart");
    logs.add_option("--since", since_, "only lines no older than this: 30s, 5m, 2h")->type_name("DURATION");
    logs.add_option("--since-time", since_time_, "only lines of this time (RFC 3339) and later")
        ->type_name("TIME");
    logs.add_flag("-f,--follow", logs_.follow, "go on and print what comes");
    logs.add_option("--tail", logs_.tail, "only the last lines, so many");
    logs.callback([this] { take_logs(); });
  }
  void declare_scale() {
    CLI::App& scale = command("scale", kScale, kObjectGroup);
    scale.add_option("RESOURCE", scale_.resources, "deployment NAME... or deployment/NAME...")->required();
    scale.add_option("--replicas", scale_.replicas, "how many pods there are to be")
        ->required()
        ->check(CLI::Range(0, 1000).description(""));
    add_wait(scale, scale_.wait, "return when so many are ready (default), or at once");
    add_timeout(scale, scale_.timeout);
    choose(scale, scale_);
  }
  void declare_proxy_status() {
    CLI::App& status = command("proxy-status", kProxyStatus, kProxyGroup);
    status.alias("ps");
    status.add_option("PROXY", status_.proxy,
                      "one proxy: its pod's name, or TYPE/NAME such as deploy/reviews-v1");
    add_output(status, Formats::kJsonOnly, status_.output, "table or json");
    choose(status, status_);
  }
  void declare_proxy_config() {
    CLI::App& config = command("proxy-config", kProxyConfig, kProxyGroup);
    const auto read = [this](const std::string& text) {
      const auto found = kWhats.find(text);
      if (const std::string_view instead = instead_of_config(text); !instead.empty())
        throw CLI::ValidationError("there is no \"" + text + "\" here: " + std::string(instead));
      if (found == kWhats.end())
        throw CLI::ValidationError("\"" + text + "\" is none of listeners, routes, clusters and endpoints");
      config_.what = found->second;
    };
    config.add_option_function<std::string>("WHAT", read, "listeners, routes, clusters or endpoints")
        ->required();
    config.alias("pc");
    config
        .add_option("POD", config_.pod, "the pod whose sidecar is asked: NAME, NAME.NAMESPACE or TYPE/NAME")
        ->required();
    config.add_option("--name", config_.names, "a route configuration's name, or the instance of the mesh")
        ->allow_extra_args(false);
    config.add_option("--port", config_.port, "only what has this port");
    config.add_option("--fqdn", config_.fqdn, "only what belongs to this service");
    add_output(config, Formats::kObjects, config_.output, "table, yaml or json");
    choose(config, config_);
  }
  void declare_kube_inject() {
    CLI::App& inject = command("kube-inject", kKubeInject, kKubernetesGroup);
    inject.add_option("-f,--filename", inject_.file, "a file, or - for standard input")->required();
    inject.add_option("-o,--output", inject_.output, "where to write (default: standard output)")
        ->type_name("FILE");
    using Form = KubeInjectOptions::Form;
    inject.add_flag_callback(
        "--native", [this] { inject_.form = Form::kNative; },
        "the sidecar is an init container that goes on (Kubernetes 1.29 and newer)");
    inject
        .add_flag_callback(
            "--classic", [this] { inject_.form = Form::kClassic; },
            "the sidecar is a container beside the application")
        ->excludes("--native");
    inject.add_flag("--keep-api-versions", inject_.keep_api_versions,
                    "leave API versions that Kubernetes no longer serves as they are");
    inject.add_option("--settings", inject_.settings_file, "a file of settings instead of the mesh's own")
        ->type_name("FILE");
    inject.add_option("--proxy-image", inject_.image, "the image of the sidecar")->type_name("IMAGE");
    choose(inject, inject_);
  }
  static void add_plan(CLI::App& to, std::string& profile, std::vector<std::string>* sets) {
    to.add_option("--profile", profile, "minimal, default, demo or walkthrough (default: default)")
        ->type_name("PROFILE");
    if (sets)
      to.add_option("--set", *sets, "one wish, such as gateway.nodePort=30080; may be repeated")
          ->type_name("KEY=VALUE")
          ->allow_extra_args(false);
  }
  static void add_cluster(CLI::App& to, ClusterOptions& cluster) {
    to.add_option("--kubeconfig", cluster.kubeconfig, "how to reach the cluster (default: as kubectl)")
        ->type_name("FILE");
    to.add_option("--context", cluster.context, "the kubeconfig's context (default: its current one)")
        ->type_name("NAME");
  }
  void declare_install() {
    CLI::App& install = command("install", kInstall, kKubernetesGroup);
    add_plan(install, install_.profile, &install_.sets);
    install.add_option("-o,--output", install_.output, "where to write (default: standard output)")
        ->type_name("FILE");
    choose(install, install_);
  }
  void declare_uninstall() {
    CLI::App& uninstall = command("uninstall", kUninstall, kKubernetesGroup);
    uninstall.add_flag("-y,--yes", uninstall_.yes, "do not ask");
    add_dry_run(uninstall, uninstall_.dry_run);
    uninstall.add_flag("--print", uninstall_.print, "print the objects for kubectl delete -f - instead");
    add_plan(uninstall, uninstall_.profile, nullptr);
    uninstall.get_option("--profile")->description("what was installed, for --print (default: default)");
    add_timeout(uninstall, uninstall_.timeout);
    add_cluster(uninstall, uninstall_.cluster);
    choose(uninstall, uninstall_);
  }
  void declare_check() {
    CLI::App& check = command("check", kCheck, kKubernetesGroup);
    using When = CheckOptions::When;
    check.add_flag_callback(
        "--before", [this] { check_.when = When::kBefore; }, "whether the mesh can be installed");
    check
        .add_flag_callback(
            "--after", [this] { check_.when = When::kAfter; },
            "whether it works (default: this, if a control plane is there)")
        ->excludes("--before");
    add_plan(check, check_.profile, &check_.sets);
    add_output(check, Formats::kJsonOnly, check_.output, "table or json");
    add_cluster(check, check_.cluster);
    choose(check, check_);
  }
  void declare_others() {
    CLI::App& version = command("version", kVersion, kOtherGroup);
    add_output(version, Formats::kObjects, version_.output, "table, yaml or json");
    choose(version, version_);
    CLI::App& help = command("help", kHelp, kOtherGroup);
    help.add_option("COMMAND", topic_, "the command");
    help.callback([this] { wants_help_ = true; });
    command("capture", kCapture, kPartGroup);
    command("control", kControl, kPartGroup);
    command("proxy", kProxy, kPartGroup);
  }

  template <class Options>
  void choose(CLI::App& of, Options& options) {
    of.callback([this, &options] { take_ = [&options] { return Command(std::move(options)); }; });
  }

  Result<Invocation> chosen() {
    if (take_ && !wants_help_) {
      WEFT_CHECK(check_namespace());
      return Invocation{global_, take_()};
    }
    if (topic_.empty()) return Invocation{global_, HelpOptions{help_of(app_)}};
    return Invocation{global_,
                      HelpOptions{help_of(*app_.get_subcommand(topic_))}};  // throws where there is none
  }

  /// What is installed knows itself by its namespace: a wish for another must not be passed over.
  Result<void> check_namespace() const {
    if (const std::string wrong = api::dns_label(global_.ns); !wrong.empty())
      return fail(usage("-n \"" + global_.ns + "\": a namespace " + wrong));
    const bool installs = app_.got_subcommand("install") || app_.got_subcommand("uninstall");
    if (!installs || app_.count("--namespace") == 0 || global_.ns == install::kNamespace) return {};
    return fail(usage("-n " + global_.ns + ": weft's control plane is always in namespace " +
                      install::kNamespace + "; leave -n out"));
  }

  /// Not App::help, which shows the help of the command that was chosen, be it `help` itself.
  std::string help_of(CLI::App& command) {
    if (const auto purpose = purposes_.find(&command); purpose != purposes_.end())
      command.description(wrapped(purpose->second) + "\n");
    return app_.get_formatter()->make_help(
        &command, &command == &app_ ? "weft" : "weft " + command.get_name(), CLI::AppFormatMode::Normal);
  }
  std::string help_asked_for() {
    const auto chosen = app_.get_subcommands();
    return help_of(chosen.empty() ? app_ : *chosen.front());
  }

  Error usage(std::string text) const {
    std::string command = "weft";
    for (const CLI::App* chosen : app_.get_subcommands()) command += " " + chosen->get_name();
    text = text.substr(0, text.find('\n'));
    return Error::config(Code::kInvalid, command + ": " + text + "\nSee '" + command + " --help'.");
  }

  CLI::App app_;
  std::map<const CLI::App*, std::string_view> purposes_;
  GlobalOptions global_;
  UpOptions up_;
  DownOptions down_;
  ApplyOptions apply_;
  DeleteOptions delete_;
  GetOptions get_;
  DescribeOptions describe_;
  LogsOptions logs_;
  ScaleOptions scale_;
  ProxyStatusOptions status_;
  ProxyConfigOptions config_;
  KubeInjectOptions inject_;
  InstallOptions install_;
  UninstallOptions uninstall_;
  CheckOptions check_;
  VersionOptions version_;
  std::vector<std::string> misplaced_, logs_words_;
  std::string since_, since_time_;
  std::string topic_;
  bool wants_help_ = false;
  std::function<Command()> take_;
};

constexpr std::string_view kCommands[] = {
    "up",      "down",         "apply",        "delete",      "get",     "describe",  "logs",
    "scale",   "proxy-status", "proxy-config", "kube-inject", "install", "uninstall", "check",
    "version", "help",         "control",      "proxy",       "ps",      "pc"};

/// kubectl and istioctl take "-n=default" for "-n default"; to CLI11 it is the value "=default". Behind "--"
/// are another program's arguments, and letters that take no value are left as they are.
std::vector<std::string> without_equals(const std::vector<std::string>& arguments) {
  const bool follows = std::ranges::find(arguments, "logs") != arguments.end();  // its -f takes none
  const std::string_view with_value = follows ? "nolkc" : "nolkcf";
  std::vector<std::string> plain;
  bool ours = true;
  for (const std::string& argument : arguments) {
    ours = ours && argument != "--";
    if (!ours || argument.size() < 3 || argument[0] != '-' || argument[2] != '=' ||
        !with_value.contains(argument[1])) {
      plain.push_back(argument);
      continue;
    }
    plain.push_back(argument.substr(0, 2));
    plain.push_back(argument.substr(3));
  }
  return plain;
}

}  // namespace

Result<Invocation> parse_command_line(const std::vector<std::string>& arguments, std::string instance) {
  if (!arguments.empty() && !arguments.front().starts_with('-') &&
      std::ranges::find(kCommands, arguments.front()) == std::end(kCommands)) {
    if (const std::string_view instead = instead_of_command(arguments.front()); !instead.empty())
      return fail(Error::config(Code::kInvalid, "weft has no \"" + arguments.front() +
                                                    "\": " + std::string(instead) + ". See 'weft --help'."));
    const std::string_view near = nearest(arguments.front(), kCommands);
    std::string text = "weft: there is no command \"" + arguments.front() + "\"";
    if (!near.empty()) text += "; did you mean \"" + std::string(near) + "\"?";
    return fail(Error::config(Code::kInvalid, text + "\nSee 'weft --help'."));
  }
  Parser parser(std::move(instance));
  return parser.parse(without_equals(arguments));
}

}  // namespace weft::cli
