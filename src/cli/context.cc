#include "cli/context.h"

#include <utility>

namespace weft::cli {

std::string singular_with_group(const api::KindInfo& kind) {
  std::string text(kind.singular);
  if (!kind.group.empty()) text += "." + std::string(kind.group);
  return text;
}

Error not_found(const api::Key& key) {
  return Error::config(Code::kNotFound, "Error from server (NotFound): " + api::resource_name(*key.kind) +
                                            " \"" + key.name + "\" not found");
}

Progress::Progress(const Context& context, std::string text)
    : context_(context), text_(std::move(text)), timer_(context.loop, [this] {
        shown_ = true;
        show();
      }) {
  timer_.arm(context.loop.now() + 1s);
}

Progress::~Progress() {
  if (shown_ && context_.console.progress_interactive()) context_.console.redraw("");
}

void Progress::say(std::string text) {
  if (text == text_) return;
  text_ = std::move(text);
  if (shown_) show();
}

void Progress::show() {
  if (context_.console.progress_interactive())
    context_.console.redraw(text_ + " ...");
  else
    context_.note(text_ + "\n");
}

}  // namespace weft::cli
