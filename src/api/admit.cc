#include "api/admit.h"

#include "api/intake.h"

namespace weft::api {
namespace {

constexpr int kMaxDepth = 100;

bool deeper_than(const Json& value, int levels) {
  if (!value.is_structured()) return false;
  if (levels == 0) return true;
  for (const Json& each : value)
    if (deeper_than(each, levels - 1)) return true;
  return false;
}

}  // namespace

Result<Object> admit(Json body, const ObjectCheck& check) {
  if (deeper_than(body, kMaxDepth))
    return fail(Error::config(Code::kInvalid, "the object is nested more than 100 levels deep"));
  Report report("", nullptr, nullptr);
  Path root;
  Admission admission = take_in(std::move(body), Source::kApi, "default", root, report, check);
  if (admission.taken) return std::move(admission.taken->object);
  constexpr std::size_t kShown = 10;
  std::string text;
  for (const Problem& problem : report.problems()) {
    if (&problem - report.problems().data() == kShown) break;
    text.append(text.empty() ? "" : "; ").append(problem.to_string());
  }
  Code code = Code::kInvalid;
  if (report.only_unsupported()) code = Code::kUnsupported;
  if (admission.unknown_kind) code = Code::kNotFound;
  return fail(Error::config(code, std::move(text)));
}

}  // namespace weft::api
