#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "api/parse.h"
#include "cli/command.h"
#include "cli/run.h"
#include "cli/testing/fake_console.h"
#include "cli/testing/fake_mesh_api.h"
#include "store/embedded_store.h"

namespace weft::cli::testing {

/// A command's surroundings in one process: a store in a folder of its own, a console that remembers, a state
/// directory.
class CommandTest : public ::testing::Test {
 protected:
  CommandTest() {
    char name[] = "/tmp/weft-cli-XXXXXX";
    folder = ::mkdtemp(name);
    ::setenv("WEFT_STATE_DIR", folder.c_str(), 1);
    state.emplace(*StateDirectory::resolve("default"));
    auto opened = store::EmbeddedStore::open(loop, folder.string() + "/store");
    if (!opened) ADD_FAILURE() << opened.error().text;
    store = std::move(*opened);
    context.emplace(Context{console, loop, *store, mesh, global, *state, &store->dry_run()});
  }
  ~CommandTest() override {
    ::unsetenv("WEFT_STATE_DIR");
    store.reset();
    std::filesystem::remove_all(folder);
  }

  /// Runs a command; its error is printed as main prints it.
  Exit run_one(net::Task<CommandResult> command) {
    console.output.clear();
    console.errors.clear();
    const CommandResult result = run(loop, std::move(command));
    if (result) return *result;
    console.errors += result.error().text + "\n";
    return Exit::kFailed;
  }
  Exit apply_text(std::string text, ApplyOptions options = {}) {
    console.input = std::move(text);
    options.files = {"-"};
    return run_one(apply(*context, options));
  }
  Exit get_one(std::vector<std::string> resources, Output output = {}) {
    GetOptions options;
    options.resources = std::move(resources);
    options.output = std::move(output);
    return run_one(get(*context, options));
  }
  api::ObjectPtr object(std::string_view kind, std::string name) {
    api::Key key{api::find_kind_by_name(kind), api::find_kind_by_name(kind)->namespaced ? "default" : "",
                 std::move(name)};
    auto found = run(loop, store->get(std::move(key)));
    return found ? *found : nullptr;
  }
  /// What a controller or the runtime says of an object.
  void set_status(std::string_view kind, const std::string& name, std::string_view status) {
    api::Object changed = *object(kind, name);
    changed.body["status"] = api::Json::parse(status);
    const auto done = run(loop, store->update_status(std::move(changed)));
    ASSERT_TRUE(done) << done.error().text;
  }
  std::string write(const std::string& name, std::string_view text) {
    const std::filesystem::path path = folder / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }

  std::filesystem::path folder;
  net::Loop loop;
  FakeConsole console;
  FakeMeshApi mesh;
  GlobalOptions global;
  std::optional<StateDirectory> state;
  std::unique_ptr<store::EmbeddedStore> store;
  std::optional<Context> context;
};

}  // namespace weft::cli::testing
