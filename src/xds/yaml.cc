#include "xds/yaml.h"

#include <libfyaml.h>

#include <charconv>
#include <memory>
#include <optional>

namespace weft::xds {
namespace {

constexpr std::size_t kMostBytes = 16 * 1024 * 1024;
constexpr int kDeepest = 100;

struct DocumentDeleter {
  void operator()(fy_document* document) const { fy_document_destroy(document); }
};
struct DiagnosticsDeleter {
  void operator()(fy_diag* diagnostics) const { fy_diag_destroy(diagnostics); }
};

void append_quoted(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out.append({'\\', c});
    else if (byte < 0x20) out.append("\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
    else out.push_back(c);
  }
  out.push_back('"');
}

/// JSON's grammar of numbers, with a leading plus and no leading zeros allowed to YAML's core schema left as strings.
bool is_number(std::string_view text) {
  std::size_t at = !text.empty() && text.front() == '-' ? 1 : 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at > from;
  };
  const std::size_t first = at;
  if (!digits()) return false;
  if (text[first] == '0' && at > first + 1) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (!digits()) return false;
  }
  return at == text.size();
}

std::optional<std::string_view> literal(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return "null";
  if (text == "true" || text == "True" || text == "TRUE") return "true";
  if (text == "false" || text == "False" || text == "FALSE") return "false";
  return std::nullopt;
}

class Writer {
 public:
  Writer(YamlDocument& into, std::string_view file) : into_(into), file_(file) {}

  Result<void> write(fy_node* node, const std::string& path, int depth) {
    if (depth > kDeepest) return fail(Error::config(Code::kTooLarge, std::string(file_) + ": more than 100 levels"));
    if (!node) {
      into_.json += "null";
      return {};
    }
    if (!path.empty()) into_.lines.emplace(path, line(node));
    if (fy_node_is_alias(node)) return refuse(node, path, "aliases are not read here; write the value out");
    switch (fy_node_get_type(node)) {
      case FYNT_SCALAR: write_scalar(node); return {};
      case FYNT_SEQUENCE: return write_sequence(node, path, depth);
      case FYNT_MAPPING: return write_mapping(node, path, depth);
    }
    return {};
  }

 private:
  static int line(fy_node* node) {
    fy_token* token = nullptr;
    if (fy_node_is_scalar(node)) token = fy_node_get_scalar_token(node);
    const fy_mark* mark = token ? fy_token_start_mark(token) : nullptr;
    return mark ? mark->line + 1 : 0;
  }
  std::unexpected<Error> refuse(fy_node* node, const std::string& path, std::string_view why) const {
    const int at = line(node);
    return fail(Error::config(Code::kInvalid, std::string(file_) + (at ? ":" + std::to_string(at) : "") + ": " + path + ": " +
                                                  std::string(why)));
  }

  void write_scalar(fy_node* node) {
    std::size_t size = 0;
    const char* text = fy_node_get_scalar(node, &size);
    const std::string_view value(text ? text : "", text ? size : 0);
    if (fy_node_get_style(node) == FYNS_PLAIN) {
      if (const auto word = literal(value)) {
        into_.json += *word;
        return;
      }
      if (is_number(value)) {
        into_.json += value;
        return;
      }
    }
    append_quoted(into_.json, value);
  }

  Result<void> write_sequence(fy_node* node, const std::string& path, int depth) {
    into_.json += '[';
    void* iterator = nullptr;
    int index = 0;
    while (fy_node* item = fy_node_sequence_iterate(node, &iterator)) {
      if (index) into_.json += ',';
      WEFT_CHECK(write(item, path + "[" + std::to_string(index++) + "]", depth + 1));
    }
    into_.json += ']';
    return {};
  }

  Result<void> write_mapping(fy_node* node, const std::string& path, int depth) {
    into_.json += '{';
    void* iterator = nullptr;
    bool first = true;
    while (fy_node_pair* pair = fy_node_mapping_iterate(node, &iterator)) {
      fy_node* const key = fy_node_pair_key(pair);
      std::size_t size = 0;
      const char* text = key && fy_node_is_scalar(key) ? fy_node_get_scalar(key, &size) : nullptr;
      if (!text) return refuse(node, path, "a key is not a plain word");
      const std::string name(text, size);
      const std::string inner = path.empty() ? name : path + "." + name;
      if (!first) into_.json += ',';
      first = false;
      append_quoted(into_.json, name);
      into_.json += ':';
      into_.lines[inner] = line(key);
      WEFT_CHECK(write(fy_node_pair_value(pair), inner, depth + 1));
    }
    into_.json += '}';
    return {};
  }

  YamlDocument& into_;
  std::string_view file_;
};

/// "file:line: message" of the first thing the parser said.
Error parse_error(fy_diag* diagnostics, std::string_view file) {
  void* previous = nullptr;
  const fy_diag_error* error = fy_diag_errors_iterate(diagnostics, &previous);
  if (!error) return Error::config(Code::kInvalid, std::string(file) + ": this is not YAML");
  return Error::config(Code::kInvalid, std::string(file) + ":" + std::to_string(error->line) + ": " + (error->msg ? error->msg : "cannot be read"));
}

}  // namespace

int YamlDocument::line_of(std::string path) const {
  while (!path.empty()) {
    const auto found = lines.find(path);
    if (found != lines.end() && found->second) return found->second;
    const auto cut = path.find_last_of(".[");
    path.resize(cut == std::string::npos ? 0 : cut);
  }
  return 0;
}

Result<YamlDocument> read_yaml(std::string_view text, std::string_view file) {
  if (text.size() > kMostBytes) return fail(Error::config(Code::kTooLarge, std::string(file) + ": larger than 16 MiB"));
  fy_diag_cfg diagnostics_config;
  fy_diag_cfg_default(&diagnostics_config);
  diagnostics_config.fp = nullptr;
  const std::unique_ptr<fy_diag, DiagnosticsDeleter> diagnostics(fy_diag_create(&diagnostics_config));
  fy_diag_set_collect_errors(diagnostics.get(), true);
  fy_parse_cfg config{};
  config.flags = FYPCF_QUIET;
  config.diag = diagnostics.get();
  const std::unique_ptr<fy_document, DocumentDeleter> document(fy_document_build_from_string(&config, text.data(), text.size()));
  if (!document) return fail(parse_error(diagnostics.get(), file));
  YamlDocument result;
  Writer writer(result, file);
  WEFT_CHECK(writer.write(fy_document_root(document.get()), "", 0));
  return result;
}

}  // namespace weft::xds
