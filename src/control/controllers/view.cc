#include "control/controllers/view.h"

namespace weft::control {
namespace {

ObjectSnapshotPtr not_owned(const ObjectSnapshot& snapshot) { return {ObjectSnapshotPtr(), &snapshot}; }

}  // namespace

std::span<const api::ObjectPtr> View::in_scope(const api::KindInfo* kind) const {
  if (!context_.scope) return snapshot_.all(kind);
  const auto found = context_.scope->find(kind);
  return found == context_.scope->end() ? std::span<const api::ObjectPtr>() : std::span(found->second);
}

const LinkIndex& View::links() {
  if (context_.links) return *context_.links;
  if (!links_) links_.emplace(not_owned(snapshot_));
  return *links_;
}

const PushContext& View::push() {
  if (context_.push) return context_.push();
  if (!push_) push_.emplace(not_owned(snapshot_));
  return *push_;
}

}  // namespace weft::control
