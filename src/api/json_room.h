#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "api/json.h"

namespace weft::api {

/// Room for as many members more. An ordered map that grows by itself copies every value it has, all the way
/// down; this moves them.
inline void reserve_members(Json& object, std::size_t more) {
  using Members = std::vector<Json::object_t::value_type>;
  Members& members = object.get_ref<Json::object_t&>();
  if (members.capacity() - members.size() >= more) return;
  Members grown;
  grown.reserve(members.size() + more);
  for (auto& [name, value] : members) grown.emplace_back(name, std::move(value));
  members = std::move(grown);
}

}  // namespace weft::api
