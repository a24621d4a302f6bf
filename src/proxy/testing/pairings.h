#pragma once

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "proxy/testing/mesh.h"

namespace weft::proxy::testing {

/// Which version of HTTP the client speaks with the proxy, and the proxy with the endpoint.
struct Pairing {
  Protocol client, endpoint;
  Spoken spoken() const { return endpoint == Protocol::kHttp2 ? Spoken::kHttp2 : Spoken::kHttp1; }
};
inline constexpr std::array kPairings = {
    Pairing{Protocol::kHttp1, Protocol::kHttp1}, Pairing{Protocol::kHttp1, Protocol::kHttp2},
    Pairing{Protocol::kHttp2, Protocol::kHttp1}, Pairing{Protocol::kHttp2, Protocol::kHttp2}};

/// "1_to_2": the name of a test's instance.
inline std::string pairing_name(const ::testing::TestParamInfo<Pairing>& info) {
  const auto digit = [](Protocol of) { return of == Protocol::kHttp1 ? "1" : "2"; };
  return std::string(digit(info.param.client)) + "_to_" + digit(info.param.endpoint);
}

}  // namespace weft::proxy::testing
