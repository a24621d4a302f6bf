#include "productpage/trace_context.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace bookinfo::productpage {

namespace {

struct Context {
  std::string_view trace_id;
  std::string_view span_id;
  std::string_view sampled;
  std::string_view flags;
};

Context context_of_single(std::string_view header) {
  std::array<std::string_view, 3> parts;
  for (std::string_view& part : parts) {
    const auto dash = std::min(header.find('-'), header.size());
    part = header.substr(0, dash);
    header.remove_prefix(std::min(dash + 1, header.size()));
  }
  return {.trace_id = parts[0], .span_id = parts[1], .sampled = parts[2], .flags = {}};
}

Context context_of_lines(const Headers& in) {
  return {.trace_id = in.find("x-b3-traceid").value_or(""),
          .span_id = in.find("x-b3-spanid").value_or(""),
          .sampled = in.find("x-b3-sampled").value_or(""),
          .flags = in.find("x-b3-flags").value_or("")};
}

bool is_valid_id(std::string_view id) {
  const bool all_hex = std::ranges::all_of(id, [](unsigned char digit) { return std::isxdigit(digit) != 0; });
  return all_hex && id.find_first_not_of('0') != std::string_view::npos;
}

bool is_sampled(const Context& context) {
  constexpr std::array<std::string_view, 4> kYes = {"1", "true", "True", "d"};
  return context.flags == "1" || std::ranges::find(kYes, context.sampled) != kYes.end();
}

std::string lower(std::string_view id) {
  std::string out(id);
  std::ranges::transform(out, out.begin(), [](unsigned char letter) { return std::tolower(letter); });
  return out;
}

}  // namespace

void add_b3_context(const Headers& in, Headers& out) {
  const auto single = in.find("b3");
  const Context context = single ? context_of_single(*single) : context_of_lines(in);
  const bool has_trace = context.trace_id.size() == 16 || context.trace_id.size() == 32;
  if (!has_trace || !is_valid_id(context.trace_id)) return;
  if (context.span_id.size() != 16 || !is_valid_id(context.span_id)) return;
  const std::string padding(32 - context.trace_id.size(), '0');
  out.add("x-b3-traceid", padding + lower(context.trace_id));
  out.add("x-b3-spanid", lower(context.span_id));
  out.add("x-b3-sampled", is_sampled(context) ? "1" : "0");
}

}  // namespace bookinfo::productpage
