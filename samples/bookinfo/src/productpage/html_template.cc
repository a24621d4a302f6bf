#include "productpage/html_template.h"

namespace bookinfo::productpage {

std::string fill(std::string_view html,
                 std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
  std::string out;
  while (true) {
    const auto open = html.find("{{");
    const auto close = open == std::string_view::npos ? open : html.find("}}", open);
    if (close == std::string_view::npos) break;
    out += html.substr(0, open);
    const std::string_view name = html.substr(open + 2, close - open - 2);
    for (const auto& [key, value] : values) {
      if (key == name) out += value;
    }
    html.remove_prefix(close + 2);
  }
  return out.append(html);
}

}  // namespace bookinfo::productpage
