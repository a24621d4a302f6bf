#include "mongodb/mongodb.h"

#include <fcntl.h>
#include <mongoc/mongoc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

namespace bookinfo::mongodb {

namespace {

using Client = std::unique_ptr<mongoc_client_t, decltype(&mongoc_client_destroy)>;
using Collection = std::unique_ptr<mongoc_collection_t, decltype(&mongoc_collection_destroy)>;
using Document = std::unique_ptr<bson_t, decltype(&bson_destroy)>;

/// What was done, or why not, as the end of a line.
std::string seed(const std::string& port) {
  mongoc_init();
  mongoc_log_set_handler(nullptr, nullptr);
  const std::string url =
      "mongodb://127.0.0.1:" + port +
      "/?serverSelectionTryOnce=false&serverSelectionTimeoutMS=60000&connectTimeoutMS=2000"
      "&socketTimeoutMS=10000";
  const Client client(mongoc_client_new(url.c_str()), mongoc_client_destroy);
  if (!client) return "the driver does not take " + url;
  const Collection ratings(mongoc_client_get_collection(client.get(), "test", "ratings"),
                           mongoc_collection_destroy);
  bson_error_t error{};
  const Document all(bson_new(), bson_destroy);
  const auto found =
      mongoc_collection_count_documents(ratings.get(), all.get(), nullptr, nullptr, nullptr, &error);
  if (found < 0) return std::string("the ratings were not put in: ") + error.message;
  if (found > 0) return "the collection has ratings; they stay";
  for (const int stars : {5, 4}) {
    const Document rating(BCON_NEW("rating", BCON_INT32(stars)), bson_destroy);
    if (!mongoc_collection_insert_one(ratings.get(), rating.get(), nullptr, nullptr, &error))
      return std::string("a rating was not put in: ") + error.message;
  }
  return "the ratings are put in";
}

/// A pipe whose end is closed by the start of the server, and written to when that fails.
struct Started {
  int ends[2] = {-1, -1};  ///< read, write
};

/// In a grandchild, so that the server has no child that it does not know.
std::string seed_beside(const std::string& port, const Started& started) {
  const pid_t child = ::fork();
  if (child < 0) return std::string("fork: ") + std::strerror(errno);
  if (child > 0) {
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return {};
  }
  if (::fork() == 0) {
    ::close(started.ends[1]);
    char failed = 0;
    if (::read(started.ends[0], &failed, 1) == 0)
      std::fprintf(stderr, "bookinfo mongodb: %s\n", seed(port).c_str());
  }
  ::_exit(0);
}

}  // namespace

std::string become(std::string_view port, std::span<const char* const> command) {
  std::vector<std::string> words(command.begin(), command.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  Started started;
  if (::pipe2(started.ends, O_CLOEXEC) != 0) return std::string("pipe: ") + std::strerror(errno);
  if (auto wrong = seed_beside(std::string(port), started); !wrong.empty()) return wrong;
  ::execvp(pointers.front(), pointers.data());
  const std::string why = std::strerror(errno);
  static_cast<void>(::write(started.ends[1], "x", 1));
  return words.front() + ": " + why;
}

}  // namespace bookinfo::mongodb
