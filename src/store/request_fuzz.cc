#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "api/json_text.h"
#include "base/error.h"
#include "base/strings.h"
#include "http/testing/fake_exchange.h"
#include "store/api_server.h"
#include "store/embedded_store.h"
#include "unistd.h"

namespace {

using namespace weft;

class Memory final : public store::Disk {
 public:
  int sync(int) override { return 0; }
};

/// A store with something in it, made again now and then so that it does not fill.
class Api {
 public:
  static constexpr int kRequests = 2000;

  Api() : loop_(net::Loop::simulated()) {
    const std::string base = std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp";
    directory_ = base + "/weft-request-fuzz-" + std::to_string(::getpid());
    std::filesystem::remove_all(directory_);
    auto opened = store::EmbeddedStore::open(*loop_, directory_, disk_);
    WEFT_ASSERT(opened.has_value());
    store_ = std::move(*opened);
    server_ = std::make_unique<store::ApiServer>(*loop_, *store_, &store_->dry_run());
    ask("POST", "/api/v1/namespaces/default/configmaps", "",
        R"({"metadata":{"name":"there","labels":{"a":"b"}},"data":{"key":"1"}})");
    ask("POST", "/apis/apps/v1/namespaces/default/deployments", "",
        R"({"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":)"
        R"({"labels":{"app":"web"}},"spec":{"containers":[{"name":"web","image":"web"}]}}}})");
  }
  ~Api() { std::filesystem::remove_all(directory_); }

  void ask(std::string method, std::string target, std::string_view type, std::string body) {
    ++requests_;
    http::testing::FakeExchange exchange(std::move(method), std::move(target), std::move(body), 100);
    if (!type.empty()) exchange.request().headers.add("content-type", type);
    net::TaskScope tasks;
    tasks.spawn(server_->handle(exchange));
    loop_->settle();
    exchange.cancel();
    loop_->settle();
    WEFT_ASSERT(tasks.active() == 0 && exchange.status() != 0);
    if (exchange.status() >= 400) WEFT_ASSERT(api::parse_json(exchange.answer()).is_object());
  }
  bool used_up() const { return requests_ > kRequests; }

 private:
  std::unique_ptr<net::Loop> loop_;
  Memory disk_;
  std::string directory_;
  std::unique_ptr<store::EmbeddedStore> store_;
  std::unique_ptr<store::ApiServer> server_;
  int requests_ = 0;
};

}  // namespace

/// A request to the embedded API: method, target and content type are the first three lines, the rest is the
/// body. It has a response, and one that is an error is JSON.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::unique_ptr<Api> api;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::string_view lines[3];
  for (std::string_view& line : lines) {
    const auto end = rest.find('\n');
    if (end == rest.npos) return 0;
    line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
  }
  if (!api || api->used_up()) {
    api.reset();
    api = std::make_unique<Api>();
  }
  api->ask(std::string(lines[0]), std::string(lines[1]), lines[2], std::string(rest));
  return 0;
}
