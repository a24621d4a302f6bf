#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "control/translation/resource_set.h"
#include "control/translation/route_table.h"

namespace weft::control {

/// What a proxy would say of a resource: the conversion that proxies run, run here. Empty when it would
/// accept all of it. Each begins with the path of the field.
std::vector<std::string> complaints_of(Type type, const std::string& bytes);

/// Keeps from proxies what they would reject. One rejected resource holds back every change behind it, so
/// what cannot be converted is taken out before it is sent, in the smallest unit: a route returns 500 in
/// place of what it was to do, a domain that an earlier host has is left to that one, a cluster or listener
/// is left out. Each is logged with the reason.
///
/// It also makes equal resources one: proxies that get the same share the bytes. Owner: Translator. Thread:
/// the loop's.
class Proof {
 public:
  /// What every proxy accepts of a cluster, its endpoints or a listener; null: nothing. Route tables are made
  /// of hosts that were looked at, and pass.
  ResourcePtr sound(Type type, const ResourcePtr& resource);
  HostPiecePtr sound(const envoy::config::route::v3::VirtualHost& host);
  /// How many resources and hosts it remembers.
  std::size_t size() const;

 private:
  template <class T>
  struct Known {
    std::shared_ptr<const T> from;
    std::shared_ptr<const T> sound;  ///< null: left out
  };
  /// By the bytes of `from`. What nothing else holds is forgotten now and then, at a cost that the additions
  /// since have paid.
  template <class T>
  struct Memory {
    std::unordered_map<std::string_view, Known<T>> known;
    std::size_t added = 0;
    const Known<T>* find(std::string_view bytes) const;
    const Known<T>& add(Known<T> made);
  };
  std::array<Memory<Resource>, kTypes> resources_;
  Memory<HostPiece> hosts_;
};

/// What takes the place of `before` (null: there was none): itself when `made` has the same bytes, else what
/// `proof` leaves of that, or all of it without a proof. Null: nothing.
ResourcePtr successor(Type type, const ResourcePtr& before, const ResourcePtr& made, Proof* proof);

}  // namespace weft::control
