#include "local/json.h"

namespace weft::local {

std::string service_account_of(const api::Object& pod) {
  for (const char* name : {"serviceAccountName", "serviceAccount"})
    if (std::string account = json::string(pod.spec(), name); !account.empty()) return account;
  return "default";
}

}  // namespace weft::local
