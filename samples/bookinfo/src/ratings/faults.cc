#include "ratings/faults.h"

#include <array>
#include <utility>

namespace bookinfo::ratings {

using namespace std::chrono_literals;

std::optional<Faults::Kind> Faults::kind_of(std::string_view version) {
  constexpr std::array<std::pair<std::string_view, Kind>, 4> kVersions = {{
      {"v-faulty", Kind::kFaulty},
      {"v-delayed", Kind::kDelayed},
      {"v-unavailable", Kind::kUnavailable},
      {"v-unhealthy", Kind::kUnhealthy},
  }};
  for (const auto& [name, kind] : kVersions) {
    if (name == version) return kind;
  }
  return std::nullopt;
}

Faults::Faults(Kind kind, Now now, std::uint32_t seed)
    : kind_(kind), now_(std::move(now)), began_(now_()), chance_(seed) {}

Faults::Effect Faults::next_request() {
  switch (kind_) {
    case Kind::kNone: return {};
    case Kind::kFaulty: return {.is_refused = std::bernoulli_distribution(0.5)(chance_), .delay = 0ms};
    case Kind::kDelayed:
      return {.is_refused = false, .delay = std::bernoulli_distribution(0.5)(chance_) ? 7000ms : 0ms};
    case Kind::kUnavailable:
    case Kind::kUnhealthy: return {.is_refused = is_bad_turn(), .delay = 0ms};
  }
  return {};
}

bool Faults::is_healthy() const { return kind_ != Kind::kUnhealthy || !is_bad_turn(); }

bool Faults::is_bad_turn() const {
  const auto turn = kind_ == Kind::kUnhealthy ? 15min : 1min;
  return (now_() - began_) / turn % 2 == 1;
}

Faults::Now clock_of_speed(Faults::Now clock, int speed) {
  const auto began = clock();
  return [clock = std::move(clock), began, speed] { return began + (clock() - began) % 30min * speed; };
}

}  // namespace bookinfo::ratings
