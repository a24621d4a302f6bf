#include "mysqldb/mysqldb.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace bookinfo::mysqldb {

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr const char* kServer = "/usr/sbin/mariadbd";
constexpr const char* kInstall = "/usr/bin/mariadb-install-db";
/// The data live in a folder of their own, so that a folder half made is known and a stranger's data are not
/// taken for ours.
constexpr const char* kData = "bookinfo";
constexpr const char* kDataInTheMaking = "bookinfo.making";
/// What the root of a disk of its own, as a volume often is, has of itself.
constexpr const char* kOfTheDisk = "lost+found";

std::vector<char*> pointers(Words& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

Words common_options(const fs::path& data) {
  Words words = {"--no-defaults", "--datadir=" + data.string(), "--innodb-log-file-size=4M",
                 "--innodb-buffer-pool-size=8M", "--innodb-data-file-path=ibdata1:4M:autoextend"};
  if (::geteuid() == 0) words.push_back("--user=root");
  return words;
}

/// Runs a program to its end; `input` is a file for its standard input.
std::string run_to_end(Words words, const fs::path& input) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int error =
      ::posix_spawn(&child, words.front().c_str(), &files, nullptr, pointers(words).data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return words.front() + ": " + std::strerror(error);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return words.front() + " could not make the data; its own words are above";
}

/// What else is in the folder would be somebody's database.
std::string look_for_strangers(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const auto name = entry->path().filename();
    if (name != kData && name != kDataInTheMaking && name != kOfTheDisk) {
      return folder.string() + " holds " + name.string() +
             ", which the sample did not make: give the pod a volume there, or set MYSQL_DATA_DIR to an "
             "empty folder";
    }
  }
  return error ? folder.string() + ": " + error.message() : std::string();
}

std::string write_seed(const fs::path& file, std::string_view password) {
  std::ofstream seed(file);
  seed << seed_statements(password);
  seed.close();
  return seed ? std::string() : file.string() + ": cannot be written";
}

std::string make_data(const fs::path& folder, std::string_view password) {
  const fs::path making = folder / kDataInTheMaking, seed = making / "seed.sql";
  std::error_code error;
  fs::remove_all(making, error);
  Words install = {kInstall};
  for (auto& word : common_options(making)) install.push_back(std::move(word));
  install.insert(install.end(), {"--auth-root-authentication-method=normal", "--skip-test-db"});
  if (auto wrong = run_to_end(std::move(install), "/dev/null"); !wrong.empty()) return wrong;
  if (auto wrong = write_seed(seed, password); !wrong.empty()) return wrong;
  Words bootstrap = {kServer};
  for (auto& word : common_options(making)) bootstrap.push_back(std::move(word));
  bootstrap.push_back("--bootstrap");
  if (auto wrong = run_to_end(std::move(bootstrap), seed); !wrong.empty()) return wrong;
  fs::remove(seed, error);
  fs::rename(making, folder / kData, error);
  return error ? making.string() + ": " + error.message() : std::string();
}

std::string quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

}  // namespace

std::vector<std::string> as_loose_options(std::span<const char* const> options) {
  Words words;
  for (const std::string_view option : options) {
    if (option.starts_with("--")) {
      words.push_back("--loose-" + std::string(option.substr(2)));
    } else if (!words.empty()) {
      words.back() += "=" + std::string(option);
    }
  }
  return words;
}

std::string seed_statements(std::string_view password) {
  const std::string secret = quoted(password);
  return "DELETE FROM mysql.global_priv WHERE User = '' OR User = 'root' AND Host <> 'localhost';\n"
         "FLUSH PRIVILEGES;\n"
         "ALTER USER 'root'@'localhost' IDENTIFIED BY " +
         secret +
         ";\n"
         "CREATE USER 'root'@'%' IDENTIFIED BY " +
         secret +
         ";\n"
         "GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;\n"
         "CREATE DATABASE test;\n"
         "CREATE TABLE test.ratings (ReviewID INT NOT NULL PRIMARY KEY, Rating INT);\n"
         "INSERT INTO test.ratings VALUES (1, 5), (2, 4);\n";
}

std::string become(std::string_view port, std::span<const char* const> options,
                   const Environment& environment) {
  const std::string password = environment.get("MYSQL_ROOT_PASSWORD", "");
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  if (password.empty() || std::ranges::any_of(password, is_control)) {
    return "MYSQL_ROOT_PASSWORD must be set, to a text without control characters";
  }
  if (::access(kServer, X_OK) != 0) {
    return std::string(kServer) + " is not on this machine: install the package mariadb-server-core";
  }
  const fs::path folder = environment.get("MYSQL_DATA_DIR", "/var/lib/mysql");
  if (auto wrong = look_for_strangers(folder); !wrong.empty()) return wrong;
  if (!fs::exists(folder / kData)) {
    if (auto wrong = make_data(folder, password); !wrong.empty()) return wrong;
  }
  Words words = {kServer};
  for (auto& word : common_options(folder / kData)) words.push_back(std::move(word));
  // Paths without a folder are below the data: a whole one may be longer than a socket's name can be.
  words.insert(words.end(),
               {"--socket=mysqld.sock", "--pid-file=mysqld.pid", "--port=" + std::string(port),
                "--bind-address=" + environment.get("BIND_ADDRESS", "*"), "--skip-name-resolve"});
  for (auto& word : as_loose_options(options)) words.push_back(std::move(word));
  ::execv(kServer, pointers(words).data());
  return std::string(kServer) + ": " + std::strerror(errno);
}

}  // namespace bookinfo::mysqldb
