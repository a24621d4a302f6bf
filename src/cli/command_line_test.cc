#include "cli/command_line.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace weft::cli {
namespace {

Result<Invocation> parse(std::string_view line) {
  std::vector<std::string> arguments;
  for (std::string_view each : split(line, ' '))
    if (!each.empty()) arguments.emplace_back(each);
  return parse_command_line(arguments, "default");
}

template <class Options>
Options options_of(std::string_view line) {
  auto invocation = parse(line);
  EXPECT_TRUE(invocation) << line << ": " << (invocation ? "" : invocation.error().text);
  if (!invocation || !std::holds_alternative<Options>(invocation->command)) {
    ADD_FAILURE() << line << " is another command";
    return {};
  }
  return std::get<Options>(invocation->command);
}

TEST(CommandLine, TakesGlobalOptionsBeforeAndAfterTheCommand) {
  for (const char* line : {"--name x -n y get pods", "get --name x pods -n y",
                           "get pods --name=x --namespace=y", "-n y get pods --name x"}) {
    const auto invocation = parse(line);
    ASSERT_TRUE(invocation) << line << ": " << invocation.error().text;
    EXPECT_EQ(invocation->global.instance, "x") << line;
    EXPECT_EQ(invocation->global.ns, "y") << line;
  }
}

TEST(CommandLine, TakesAValueBehindAnEqualsSignOfAShortOptionToo) {
  const auto invocation = parse("get pods -n=shop -o=json -l=app=reviews");
  ASSERT_TRUE(invocation) << invocation.error().text;
  EXPECT_EQ(invocation->global.ns, "shop");
  const auto& options = std::get<GetOptions>(invocation->command);
  EXPECT_EQ(options.selector, "app=reviews");
  EXPECT_EQ(options.output.format, options_of<GetOptions>("get pods -o json").output.format);
  EXPECT_NE(options.output.format, options_of<GetOptions>("get pods").output.format);
  EXPECT_FALSE(parse("get pods -A=false web"));
  EXPECT_FALSE(parse("logs web -f=false"));
  EXPECT_EQ(options_of<ApplyOptions>("apply -f=a.yaml").files, std::vector<std::string>{"a.yaml"});
}

TEST(CommandLine, RejectsANamespaceThatCannotBe) {
  for (const char* name : {"Shop", "shop_1", "shop/pods", "-"}) {
    const auto invocation = parse("get pods -n " + std::string(name));
    ASSERT_FALSE(invocation) << name;
    EXPECT_TRUE(invocation.error().text.find("-n \"" + std::string(name) +
                                             "\": a namespace must be a DNS label") != std::string::npos)
        << invocation.error().text;
  }
}

TEST(CommandLine, RejectsANamespaceForWhatIsInstalledInItsOwn) {
  for (const char* line : {"install -n mesh", "-n mesh uninstall --yes"}) {
    const auto invocation = parse(line);
    ASSERT_FALSE(invocation) << line;
    EXPECT_NE(
        invocation.error().text.find("-n mesh: weft's control plane is always in namespace weft-system"),
        std::string::npos)
        << invocation.error().text;
  }
  EXPECT_TRUE(parse("install -n weft-system"));
}

TEST(CommandLine, TakesTheInstanceOfTheEnvironmentUnlessOneIsNamed) {
  EXPECT_EQ(parse_command_line({"get", "pods"}, "second")->global.instance, "second");
  EXPECT_EQ(parse_command_line({"get", "pods", "--name", "third"}, "second")->global.instance, "third");
}

TEST(CommandLine, ReadsUp) {
  const auto up =
      options_of<UpOptions>("up -f a.yaml -f b --detach --ingress-port=9090 --isolation netns --image x=y");
  EXPECT_EQ(up.files, (std::vector<std::string>{"a.yaml", "b"}));
  EXPECT_TRUE(up.detach);
  EXPECT_EQ(up.ingress_port, 9090);
  EXPECT_EQ(up.isolation, "netns");
  EXPECT_EQ(up.images, std::vector<std::string>{"x=y"});
  EXPECT_EQ(options_of<UpOptions>("up").ingress_port, 8080);
}

TEST(CommandLine, ReadsApply) {
  const auto apply = options_of<ApplyOptions>("apply -f - -R --dry-run --no-wait --timeout 2m");
  EXPECT_EQ(apply.files, std::vector<std::string>{"-"});
  EXPECT_TRUE(apply.recursive && apply.dry_run == DryRun::kClient && !apply.wait);
  EXPECT_EQ(apply.timeout, std::chrono::minutes(2));
  EXPECT_EQ(options_of<ApplyOptions>("apply -f a --timeout 5").timeout, std::chrono::seconds(5));
  EXPECT_TRUE(options_of<ApplyOptions>("apply -f a").wait);
}

TEST(CommandLine, ReadsGet) {
  const auto get = options_of<GetOptions>("get pods,svc -A -l app=x -w --no-headers --show-labels -o wide");
  EXPECT_EQ(get.resources, std::vector<std::string>{"pods,svc"});
  EXPECT_TRUE(get.all_namespaces && get.watch && get.no_headers && get.show_labels);
  EXPECT_EQ(get.selector, "app=x");
  EXPECT_EQ(get.output.format, Format::kWide);
  EXPECT_EQ(options_of<GetOptions>("get pod a b -ojson").output.format, Format::kJson);
  const auto path = options_of<GetOptions>("get pods -o jsonpath={.items[*].metadata.name}");
  EXPECT_EQ(path.output.format, Format::kJsonPath);
  EXPECT_EQ(path.output.json_path, "{.items[*].metadata.name}");
}

TEST(CommandLine, ReadsTheOthers) {
  EXPECT_TRUE(options_of<DownOptions>("down --purge").purge);
  EXPECT_EQ(options_of<DeleteOptions>("delete vs reviews --ignore-not-found").resources.size(), 2u);
  EXPECT_TRUE(options_of<DeleteOptions>("delete pods --all").all);
  EXPECT_EQ(options_of<DescribeOptions>("describe pod a").resources.size(), 2u);
  const auto logs = options_of<LogsOptions>("logs -f deploy/x -c istio-proxy --tail 5");
  EXPECT_TRUE(logs.follow);
  EXPECT_EQ(logs.resource, "deploy/x");
  EXPECT_EQ(logs.tail, 5u);
  const auto scale = options_of<ScaleOptions>("scale deployment details-v1 --replicas=0");
  EXPECT_EQ(scale.replicas, 0u);
  EXPECT_EQ(scale.resources.size(), 2u);
  EXPECT_EQ(options_of<ProxyStatusOptions>("proxy-status -o json").output.format, Format::kJson);
  const auto config = options_of<ProxyConfigOptions>("proxy-config routes reviews-1");
  EXPECT_EQ(config.what, ProxyConfigOptions::What::kRoutes);
  EXPECT_EQ(config.pod, "reviews-1");
  EXPECT_EQ(options_of<VersionOptions>("version -o json").output.format, Format::kJson);
}

TEST(CommandLine, ReadsKubectlsFormsOfADryRun) {
  for (const char* line : {"apply -f a --dry-run", "apply -f a --dry-run=client"})
    EXPECT_EQ(options_of<ApplyOptions>(line).dry_run, DryRun::kClient) << line;
  EXPECT_EQ(options_of<ApplyOptions>("apply --dry-run=server -f a").dry_run, DryRun::kServer);
  EXPECT_EQ(options_of<ApplyOptions>("apply -f a --dry-run=none").dry_run, DryRun::kNone);
  EXPECT_EQ(options_of<UninstallOptions>("uninstall --dry-run").dry_run, DryRun::kClient);
  EXPECT_EQ(options_of<ApplyOptions>("apply -k folder").kustomization, "folder");
  EXPECT_EQ(options_of<DeleteOptions>("delete -k folder").kustomization, "folder");
}

TEST(CommandLine, ReadsTheCommandsOfIstioctl) {
  EXPECT_EQ(options_of<ProxyStatusOptions>("ps deploy/x").proxy, "deploy/x");
  const auto config =
      options_of<ProxyConfigOptions>("pc r reviews-1.default --name 9080 --port 80 --fqdn reviews");
  EXPECT_EQ(config.names, std::vector<std::string>{"9080"});
  EXPECT_EQ(config.port + " " + config.fqdn + " " + config.pod, "80 reviews reviews-1.default");
  const auto both = parse("--name second pc routes p --name 9080 -n shop");
  ASSERT_TRUE(both) << both.error().text;
  EXPECT_EQ(both->global.instance, "second");
  EXPECT_EQ(both->global.ns, "shop");
}

TEST(CommandLine, ReadsKubectlsFormsOfLogs) {
  const auto options = options_of<LogsOptions>("logs pod-1 istio-proxy -p");
  EXPECT_EQ(options.resource + " " + options.container, "pod-1 istio-proxy");
  EXPECT_TRUE(options.previous);
  const auto selected = options_of<LogsOptions>("logs -l app=reviews --all-containers --tail=3");
  EXPECT_EQ(selected.selector, "app=reviews");
  EXPECT_TRUE(selected.all_containers);
}

TEST(CommandLine, TakesATimeLimitForEachRequest) {
  EXPECT_EQ(parse("get pods")->global.request_timeout, std::chrono::seconds(10));
  EXPECT_EQ(parse("--request-timeout=2m get pods")->global.request_timeout, std::chrono::minutes(2));
  EXPECT_EQ(parse("get pods --request-timeout 0")->global.request_timeout, std::chrono::seconds(0));
}

TEST(CommandLine, SaysItsVersionInEachWayToAsk) {
  EXPECT_EQ(options_of<VersionOptions>("--version").output.format, Format::kTable);
}

TEST(CommandLine, SaysWhatWeftHasInThePlaceOfACommandOfOthers) {
  for (const char* verb :
       {"exec",      "edit",      "create",     "patch",    "label", "rollout", "port-forward",  "explain",
        "top",       "events",    "diff",       "wait",     "cp",    "run",     "api-resources", "completion",
        "analyze",   "dashboard", "bug-report", "stat",     "tap",   "edges",   "viz",           "inject",
        "kustomize", "autoscale", "config",     "manifest", "log"}) {
    const auto invocation = parse(std::string(verb) + " some arguments --flag");
    ASSERT_FALSE(invocation) << verb;
    EXPECT_TRUE(invocation.error().text.starts_with("weft has no \"" + std::string(verb) + "\": ")) << verb;
    EXPECT_EQ(invocation.error().text.find('\n'), std::string::npos)
        << "one line: " << invocation.error().text;
  }
}

TEST(CommandLine, HelpHasNoneOfTheParsersOwnText) {
  for (const char* line :
       {"--help", "apply --help", "kube-inject --help", "get --help", "logs --help", "check --help"}) {
    const std::string text = options_of<HelpOptions>(line).text;
    for (const char* word : {"{false}", "{true}", "Excludes", "REQUIRED", " ...", "TEXT", "UINT"})
      EXPECT_EQ(text.find(word), std::string::npos) << line << " says " << word << ":\n" << text;
    EXPECT_NE(text.find("WEFT_STATE_DIR"), std::string::npos) << line;
  }
}

TEST(CommandLine, RejectsWhatIsWrongAndSaysWhichHelpToRead) {
  const std::pair<const char*, const char*> cases[] = {
      {"nonsense", "no command \"nonsense\""},
      {"aply -f x", "did you mean \"apply\""},
      {"get", "RESOURCE"},
      {"get pods --nonsense", "--nonsense"},
      {"get pods -o xml", "\"xml\" is not an output format"},
      {"proxy-status -o yaml", "table or json"},
      {"apply", "--filename"},
      {"apply rule.yaml", "weft apply -f rule.yaml"},
      {"apply -f a --dry-run=maybe", "client, server or none"},
      {"logs pod -l app=x", "POD"},
      {"logs pod main -c other", "twice"},
      {"logs pod --since soon", "30s or 5m"},
      {"logs pod --since-time yesterday", "2026-01-31T09:30:00Z"},
      {"logs pod --since 5m --since-time 2026-01-31T09:30:00Z", "exclude each other"},
      {"proxy-config bootstrap pod", "-o json"},
      {"get pods --request-timeout soon", "soon"},
      {"apply -f a --timeout soon", "soon"},
      {"up --ingress-port 99999", "--ingress-port"},
      {"up --ingress-port 0", "--ingress-port"},
      {"up --isolation magic", "magic"},
      {"up --image x", "NAME=COMMAND"},
      {"scale deployment x", "--replicas"},
      {"scale deployment x --replicas -1", "--replicas"},
      {"scale deployment x --replicas many", "many"},
      {"proxy-config nonsense pod", "nonsense"},
      {"logs", "POD"},
      {"help nonsense", "nonsense"},
      {"version extra", "extra"},
  };
  for (const auto& [line, wanted] : cases) {
    const auto invocation = parse(line);
    ASSERT_FALSE(invocation) << line;
    EXPECT_NE(invocation.error().text.find(wanted), std::string::npos)
        << line << ": " << invocation.error().text;
    EXPECT_NE(invocation.error().text.find("--help"), std::string::npos)
        << line << ": " << invocation.error().text;
  }
}

TEST(CommandLine, HelpOfEachCommandHasPurposeExamplesAndOptions) {
  for (const std::string command : {"up", "down", "apply", "delete", "get", "describe", "logs", "scale",
                                    "proxy-status", "proxy-config", "version"}) {
    for (const std::string& line : {command + " --help", "help " + command, command + " -h"}) {
      const std::string text = options_of<HelpOptions>(line).text;
      EXPECT_GT(text.size(), 300u) << line;
      EXPECT_NE(text.find("Examples:\n  weft " + command), std::string::npos) << line << ":\n" << text;
      EXPECT_NE(text.find("--help"), std::string::npos) << line;
      EXPECT_NE(text.find("--name"), std::string::npos) << line;
    }
  }
  for (const char* line : {"", "--help", "help"}) {
    const std::string text = options_of<HelpOptions>(line).text;
    EXPECT_NE(text.find("proxy-config"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace weft::cli
