#include "productpage/making.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

#include "common/text.h"
#include "productpage/assets.h"
#include "productpage/html_template.h"

namespace bookinfo::productpage {

namespace {

using std::chrono::microseconds;

std::string number(const char* format, double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string time_text(microseconds took) {
  const double milliseconds = static_cast<double>(took.count()) / 1000.0;
  if (milliseconds < 0.1) return "under 0.1 ms";
  if (milliseconds < 100) return number("%.1f ms", milliseconds);
  if (milliseconds < 1000) return number("%.0f ms", milliseconds);
  return number("%.2f s", milliseconds / 1000);
}

std::string outcome_of(const Attempt& attempt) {
  if (attempt.status)
    return "status " + std::to_string(*attempt.status) +
           (attempt.lacks.empty() ? "" : ", without " + attempt.lacks);
  return "no answer (" + attempt.failure + ")";
}

microseconds between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration_cast<microseconds>(to - from);
}

microseconds span_of(const std::vector<Attempt>& attempts) {
  if (attempts.empty()) return microseconds{0};
  return between(attempts.front().began, attempts.back().began) + attempts.back().took;
}

/// The part of the whole time that the attempt took, as a bar; never too thin to be seen.
std::string bar_of(const Attempt& attempt, std::chrono::steady_clock::time_point first, microseconds whole) {
  constexpr double kThinnest = 2.0;
  const auto percent = [&whole](microseconds part) {
    return 100.0 * static_cast<double>(part.count()) / std::max(1.0, static_cast<double>(whole.count()));
  };
  const double width = std::clamp(percent(attempt.took), kThinnest, 100.0);
  const double start = std::min(percent(between(first, attempt.began)), 100.0 - width);
  return "margin-left:" + number("%.1f", start) + "%;width:" + number("%.1f", width) + "%";
}

std::string row_of(const Attempt& attempt, std::chrono::steady_clock::time_point first, microseconds whole) {
  const bool good = attempt.status == 200U;
  std::string behind = html_escape(attempt.behind_proxy);
  if (behind == "0") behind = "under 1";
  if (!behind.empty()) behind = "<span class=\"behind\">" + behind + " ms behind the sidecar</span>";
  return fill(assets::kCallHtml, {{"service", html_escape(attempt.service)},
                                  {"url", html_escape(attempt.url)},
                                  {"outcome", html_escape(outcome_of(attempt))},
                                  {"class", good ? "good" : "bad"},
                                  {"took", time_text(attempt.took)},
                                  {"behind", behind},
                                  {"bar", bar_of(attempt, first, whole)}});
}

std::string fact(const char* name, const std::string& value) {
  if (value.empty()) return {};
  return std::string("<div><dt>") + name + "</dt><dd>" + html_escape(value) + "</dd></div>\n";
}

bool is_version(std::string_view part) {
  if (part.size() < 2 || part.front() != 'v') return false;
  return std::ranges::all_of(part.substr(1), [](unsigned char letter) { return std::isdigit(letter) != 0; });
}

}  // namespace

std::string making_panel(const Making& making, const std::vector<Attempt>& attempts) {
  const microseconds whole = span_of(attempts);
  std::string calls;
  for (const Attempt& attempt : attempts) calls += row_of(attempt, attempts.front().began, whole);
  const std::string count = std::to_string(attempts.size()) + (attempts.size() == 1 ? " call, " : " calls, ");
  std::string facts = fact("Made by pod", making.pod) + fact("Request id", making.request_id);
  if (making.floods > 0) facts += fact("Calls of reviews for nothing", std::to_string(making.floods));
  return fill(assets::kMakingHtml,
              {{"summary", count + time_text(whole)}, {"calls", calls}, {"facts", facts}});
}

std::string why_it_failed(const Fetched& fetched) {
  if (fetched.attempts.empty()) return "It was not asked: no header can carry the user's name.";
  const std::size_t tries = fetched.attempts.size();
  return (tries == 1 ? std::string("Asked once") : "Asked " + std::to_string(tries) + " times") + " within " +
         time_text(span_of(fetched.attempts)) + "; " + outcome_of(fetched.attempts.back()) + ".";
}

std::string version_of_pod(std::string_view pod) {
  std::string version;
  while (!pod.empty()) {
    const auto dash = std::min(pod.find('-'), pod.size());
    if (is_version(pod.substr(0, dash))) version = pod.substr(0, dash);
    pod.remove_prefix(std::min(dash + 1, pod.size()));
  }
  return version;
}

}  // namespace bookinfo::productpage
