#include "api/admit.h"

#include "api/intake.h"
#include "api/json_text.h"

namespace weft::api {
namespace {

constexpr int kMaxDepth = 100;
constexpr std::size_t kShown = 10;
constexpr std::size_t kMaxProblems = 1000;  ///< kept of a stored object
constexpr const char* kTooDeep = "the object is nested more than 100 levels deep";

}  // namespace

Result<Object> admit(Json body, const ObjectCheck& check) {
  if (deeper_than(body, kMaxDepth)) return fail(Error::config(Code::kInvalid, kTooDeep));
  Report report("", nullptr, nullptr);
  Path root;
  Admission admission = take_in(std::move(body), Source::kApi, "default", root, report, check);
  if (admission.taken) return std::move(admission.taken->object);
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

std::vector<Problem> problems_of(const Object& stored, const ObjectCheck& check) {
  if (deeper_than(stored.body, kMaxDepth)) return {{"", 0, "", kTooDeep}};
  Json body = stored.body;
  if (!body.is_object()) return {{"", 0, "", "must be a map"}};
  body["apiVersion"] = stored.kind->api_version();
  body["kind"] = std::string(stored.kind->kind);
  body["metadata"] = {{"name", "x"}};
  body.erase("status");
  Report report("", nullptr, nullptr, kMaxProblems);
  Path root;
  try {
    (void)take_in(std::move(body), Source::kApi, "default", root, report, check);
  } catch (const Json::exception& error) {
    report.problem(root, std::string("a field has a wrong type: ") + error.what());
  }
  std::vector<Problem> found = std::move(report.problems());
  if (found.size() >= kMaxProblems)
    found.insert(
        found.begin(),
        {"", 0, "spec", "has " + std::to_string(kMaxProblems) + " problems or more; no part of it is used"});
  return found;
}

bool concerns(const Problem& problem, const Place& part) {
  return problem.field.empty() || problem.field == "spec" || part.covers(problem.field);
}

}  // namespace weft::api
