#include "xds/bootstrap.h"

#include <gtest/gtest.h>

namespace weft::xds {
namespace {

/// Why a bootstrap with this static layer is rejected; empty: it is not.
std::string rejection_of(const std::string& static_layer) {
  const auto made = parse_bootstrap(
      "node: {id: a}\nlayered_runtime:\n  layers:\n"
      "  - {name: admin, admin_layer: {}}\n"
      "  - name: s\n    static_layer:\n" +
          static_layer,
      "f.yaml");
  return made ? "" : made.error().text;
}

TEST(Bootstrap, the_runtime_keys_of_istio_s_own_are_accepted) {
  EXPECT_EQ(rejection_of("      envoy.reloadable_features.http_reject_path_with_fragment: false\n"
                         "      envoy.restart_features.use_eds_cache_for_ads: \"true\"\n"
                         "      envoy.deprecated_features:envoy.config.listener.v3.Listener.hidden: true\n"
                         "      re2.max_program_size.error_level: \"32768\"\n"
                         "      overload.global_downstream_max_connections: \"2147483647\"\n"),
            "");
  EXPECT_EQ(
      rejection_of("      overload: {global_downstream_max_connections: 2147483647}\n"
                   "      envoy: {reloadable_features: {a: {numerator: 1}}, deprecated_features: {b: 1}}\n"
                   "      re2: {max_program_size: {warn_level: 1}}\n"),
      "");
}

TEST(Bootstrap, every_other_runtime_key_is_rejected_by_its_name) {
  constexpr std::pair<const char*, const char*> kRows[] = {
      {"overload.global_downstream_max_connections: 50000",
       "[\"overload.global_downstream_max_connections\"]: runtime key "
       "'overload.global_downstream_max_connections' is not supported"},
      {"overload.global_downstream_max_connections: \"50000\"",
       "[\"overload.global_downstream_max_connections\"]: runtime key "
       "'overload.global_downstream_max_connections' is not supported"},
      {"overload: {global_downstream_max_connections: 50000}",
       "[\"overload\"][\"global_downstream_max_connections\"]: runtime key "
       "'overload.global_downstream_max_connections' is not supported"},
      {"envoy: {resource_limits: {listener: {l: {connection_limit: 1}}}}",
       "[\"envoy\"][\"resource_limits\"][\"listener\"][\"l\"][\"connection_limit\"]: runtime key "
       "'envoy.resource_limits.listener.l.connection_limit' is not supported"},
      {"health_check.min_interval: 2147483647",
       "[\"health_check.min_interval\"]: runtime key 'health_check.min_interval' is not supported"},
      {"b: 1, a: {}", "[\"a\"]: runtime key 'a' is not supported"},
      {"envoy.reloadable_feature: true",
       "[\"envoy.reloadable_feature\"]: runtime key 'envoy.reloadable_feature' is not supported"},
      {"re2x: true", "[\"re2x\"]: runtime key 're2x' is not supported"},
  };
  for (const auto& [layer, want] : kRows)
    EXPECT_EQ(rejection_of(std::string("        {") + layer + "}\n"),
              std::string("f.yaml:6: layered_runtime.layers[1].static_layer") + want);
}

}  // namespace
}  // namespace weft::xds
