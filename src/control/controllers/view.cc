#include "control/controllers/view.h"

namespace weft::control {
namespace {

WorldPtr not_owned(const World& world) { return {WorldPtr(), &world}; }

}  // namespace

std::span<const api::ObjectPtr> View::in_scope(const api::KindInfo* kind) const {
  if (!context_.scope) return world_.all(kind);
  const auto found = context_.scope->find(kind);
  return found == context_.scope->end() ? std::span<const api::ObjectPtr>() : std::span(found->second);
}

const LinkIndex& View::links() {
  if (context_.links) return *context_.links;
  if (!links_) links_.emplace(not_owned(world_));
  return *links_;
}

const Inputs& View::inputs() {
  if (context_.inputs) return context_.inputs();
  if (!inputs_) inputs_.emplace(not_owned(world_));
  return *inputs_;
}

}  // namespace weft::control
