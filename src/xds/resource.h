#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "proxy/config.h"
#include "xds/packed_bytes.h"
#include "xds/resource_type.h"

namespace weft::xds {

struct ConvertedHosts;

/// Something a resource waits for before it can be used: a cluster its endpoints, a listener its route table.
struct Need {
  Type type;
  std::string name;  ///< empty: that of the resource which needs it
  /// After this long it goes without; zero: waits forever.
  std::chrono::milliseconds timeout{15'000};
};

/// When resources came.
struct Arrival {
  std::string version;  ///< version_info of the response; empty for static ones
  std::chrono::system_clock::time_point when;
};

/// A resource as it came and as the data plane takes it. Immutable once made; any thread.
struct Resource {
  using Value =
      std::variant<std::shared_ptr<const proxy::ClusterConfig>, std::shared_ptr<const proxy::Endpoints>,
                   std::shared_ptr<const proxy::ListenerConfig>, std::shared_ptr<const proxy::RouteTable>>;
  Value value;
  std::vector<Need> needs;
  /// What a control plane asked for that we do not do, each with its path; never of a static resource.
  proxy::RareVector<std::string> left_out;

  /// Parts that could not be converted, each with its path: such a route returns 500, and every other one is
  /// applied. Never of a static resource.
  proxy::RareVector<std::string> rejected;

  /// The message as it came; of a route table that a control plane sent, without its virtual hosts, whose
  /// bytes stand with them.
  PackedBytes bytes;
  std::shared_ptr<const Arrival> arrival;  ///< one for all that came with it; null: it is not known
  /// Of a route table that a control plane sent, for the next version of it.
  std::shared_ptr<const ConvertedHosts> hosts;

  /// The whole message. Fields of a route table that stood between its virtual hosts stand behind them.
  std::string message() const;
  /// Whether both came as the same message.
  bool is_same_message(const Resource& other) const;
  /// Whether the control plane calls both by the same name of a form, where it names forms at all.
  bool is_same_form(const Resource& other) const;

  std::string_view version() const { return arrival ? std::string_view(arrival->version) : ""; }
  std::chrono::system_clock::time_point updated() const {
    return arrival ? arrival->when : std::chrono::system_clock::time_point();
  }

  std::string_view name() const {
    return std::visit([](const auto& config) -> std::string_view { return config->name; }, value);
  }
  std::string_view name_of(const Need& need) const { return need.name.empty() ? name() : need.name; }
  template <class T>
  const std::shared_ptr<const T>& as() const {
    return std::get<std::shared_ptr<const T>>(value);
  }
};

using ResourcePtr = std::shared_ptr<const Resource>;

/// The name of the resource in `bytes`, as far as it can be read: for telling which one is rejected.
std::string_view name_in(Type type, std::string_view bytes);

/// Turns a message that a control plane sent into what the data plane runs. `arrival` is left to the
/// caller. Errors begin with the path of the field. `before`: the version that is there, if any; parts that
/// are the same are taken from it, and the result is what it would be without. `form`: what the control plane
/// calls it, where it says so. `packer`: what packs the message; null: nothing does.
Result<std::shared_ptr<Resource>> decode(Type type, std::string_view bytes, const Resource* before = nullptr,
                                         std::string_view form = {}, Packer* packer = nullptr);
/// The same of a route table that came as a RouteTableChange: `before` has to be the form that it changes.
Result<std::shared_ptr<Resource>> decode_change(std::string_view bytes, const Resource* before,
                                                std::string_view form);

}  // namespace weft::xds
