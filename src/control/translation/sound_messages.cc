#include "control/translation/sound_messages.h"

namespace weft::control {

void SoundMessages::add(Type type, const std::string& message) {
  if (message.size() > kMaxBytes) return;
  if (bytes_ + message.size() > kMaxBytes) {
    for (auto& each : known_) each.clear();
    bytes_ = 0;
  }
  if (known_[index_of(type)].insert(message).second) bytes_ += message.size();
}

}  // namespace weft::control
