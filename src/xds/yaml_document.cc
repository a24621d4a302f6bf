#include "xds/yaml_document.h"

#include <libfyaml.h>

#include <charconv>

#include "base/strings.h"

namespace weft::xds {
namespace {

constexpr std::size_t kMaxText = 64 * 1024 * 1024;

struct ParserEnd {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};
struct DiagEnd {
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};
struct IteratorEnd {
  void operator()(fy_token_iter* iterator) const { fy_token_iter_destroy(iterator); }
};

std::unique_ptr<fy_diag, DiagEnd> quiet_diag() {
  fy_diag_cfg quiet;
  fy_diag_cfg_default(&quiet);
  quiet.fp = nullptr;
  quiet.output_fn = [](fy_diag*, void*, const char*, size_t) {};
  std::unique_ptr<fy_diag, DiagEnd> diag(fy_diag_create(&quiet));
  if (diag) fy_diag_set_collect_errors(diag.get(), true);
  return diag;
}

Error syntax_error(const std::string& file, fy_diag* diag) {
  void* iterator = nullptr;
  fy_diag_error* error = diag ? fy_diag_errors_iterate(diag, &iterator) : nullptr;
  std::string where = file + (error && error->line > 0 ? ":" + std::to_string(error->line) : "");
  return Error::config(Code::kInvalid,
                       where + ": not YAML: " + (error && error->msg ? error->msg : "syntax error"));
}

/// "request_timeout" for "requestTimeout": a file may use either spelling.
std::string snake_case(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') out += '_';
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

fy_node_pair* find_pair(fy_node* map, std::string_view name) {
  void* at = nullptr;
  while (fy_node_pair* pair = fy_node_mapping_iterate(map, &at)) {
    std::string key = scalar_text(fy_node_pair_key(pair));
    if (key == name || snake_case(key) == name) return pair;
  }
  return nullptr;
}

/// Takes the next step off `path`: a field's name, or what stands in brackets.
std::string_view next_step(std::string_view& path) {
  bool bracket = path.starts_with('[');
  auto end = bracket ? path.find(']') : path.find_first_of(".[");
  std::string_view step =
      path.substr(bracket ? 1 : 0, end == path.npos ? path.npos : end - (bracket ? 1 : 0));
  path = end == path.npos ? std::string_view() : path.substr(end + (bracket ? 1 : 0));
  if (path.starts_with('.')) path.remove_prefix(1);
  return step;
}

}  // namespace

void YamlDocument::End::operator()(fy_document* document) const { fy_document_destroy(document); }

Result<YamlDocument> YamlDocument::parse(std::string text, std::string file_name) {
  YamlDocument made;
  if (text.size() > kMaxText) return fail(Error::config(Code::kTooLarge, file_name + ": larger than 64 MB"));
  made.text_ = std::make_unique<std::string>(std::move(text));
  made.file_name_ = std::move(file_name);
  auto diag = quiet_diag();
  fy_parse_cfg configuration{};
  configuration.flags = static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE |
                                                        FYPCF_DEFAULT_VERSION_AUTO);
  configuration.diag = diag.get();
  std::unique_ptr<fy_parser, ParserEnd> parser(fy_parser_create(&configuration));
  if (!parser || fy_parser_set_string(parser.get(), made.text_->data(), made.text_->size()) != 0)
    return fail(Error::internal(Code::kInternal, "the YAML parser could not be made"));
  made.document_.reset(fy_parse_load_document(parser.get()));
  if (fy_parser_get_stream_error(parser.get())) return fail(syntax_error(made.file_name_, diag.get()));
  if (!made.document_) return made;
  if (std::unique_ptr<fy_document, End> second(fy_parse_load_document(parser.get())); second) {
    std::string line = std::to_string(line_of(fy_document_root(second.get())));
    return fail(Error::config(Code::kInvalid,
                              made.file_name_ + ":" + line + ": a second document begins here; one is read"));
  }
  if (fy_parser_get_stream_error(parser.get())) return fail(syntax_error(made.file_name_, diag.get()));
  return made;
}

fy_node* YamlDocument::root() const { return document_ ? fy_document_root(document_.get()) : nullptr; }

int YamlDocument::line_of_path(std::string_view path) const {
  fy_node* node = root();
  int line = node ? line_of(node) : 1;
  while (node && !path.empty()) {
    std::string_view step = next_step(path);
    node = resolved(node);
    if (!node) break;
    if (fy_node_is_mapping(node)) {
      fy_node_pair* pair = find_pair(node, step);
      if (!pair) break;
      line = line_of(fy_node_pair_key(pair));
      node = fy_node_pair_value(pair);
    } else if (fy_node_is_sequence(node)) {
      int index = 0;
      std::from_chars(step.data(), step.data() + step.size(), index);
      node = fy_node_sequence_get_by_index(node, index);
      if (int at = node ? line_of(node) : 0) line = at;
    } else {
      break;
    }
  }
  return line;
}

Error YamlDocument::locate(Error error) const {
  std::string_view text = error.text;
  int line = line_of_path(text.substr(0, text.find(": ")));
  error.text.insert(0, file_name_ + ":" + std::to_string(line) + ": ");
  return error;
}

int line_of(fy_node* node) {
  if (!node) return 0;
  if (fy_node_is_scalar(node)) {
    fy_token* token = fy_node_get_scalar_token(node);
    const fy_mark* mark = token ? fy_token_start_mark(token) : nullptr;
    return mark ? mark->line + 1 : 0;
  }
  void* at = nullptr;
  if (fy_node_is_sequence(node)) return line_of(fy_node_sequence_iterate(node, &at));
  fy_node_pair* pair = fy_node_mapping_iterate(node, &at);
  return pair ? line_of(fy_node_pair_key(pair)) : 0;
}

fy_node* resolved(fy_node* node) {
  return node && fy_node_is_alias(node) ? fy_node_resolve_alias(node) : node;
}

std::string scalar_text(fy_node* node) {
  fy_token* token = node && fy_node_is_scalar(node) ? fy_node_get_scalar_token(node) : nullptr;
  if (!token) return {};
  auto style = fy_node_get_style(node);
  if (style != FYNS_LITERAL && style != FYNS_FOLDED) {
    std::size_t size = 0;
    const char* data = fy_token_get_text(token, &size);
    return data ? std::string(data, size) : std::string();
  }
  // libfyaml 0.7.12 counts some block scalars longer than it writes them; piece by piece it is right.
  std::string text;
  std::unique_ptr<fy_token_iter, IteratorEnd> iterator(fy_token_iter_create(token));
  int error = 0;
  const fy_iter_chunk* chunk = nullptr;
  while ((chunk = fy_token_iter_chunk_next(iterator.get(), chunk, &error)) != nullptr)
    text.append(chunk->str, chunk->len);
  return text;
}

}  // namespace weft::xds
