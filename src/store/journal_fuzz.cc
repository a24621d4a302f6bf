#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/strings.h"
#include "store/embedded_store.h"
#include "store/journal.h"
#include "unistd.h"

namespace {

using namespace weft;

/// Without waiting for a disk.
class Memory final : public store::Disk {
 public:
  int sync(int) override { return 0; }
};

const std::string& directory() {
  static const std::string path = [] {
    const std::string base = std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp";
    return base + "/weft-journal-fuzz-" + std::to_string(::getpid());
  }();
  return path;
}

Result<std::vector<std::string>> records_of(Memory& disk) {
  std::vector<std::string> records;
  WEFT_TRY(const store::Journal journal, store::Journal::open(
                                             directory(),
                                             [&](std::string_view record) -> Result<void> {
                                               records.emplace_back(record);
                                               return {};
                                             },
                                             disk));
  static_cast<void>(journal);
  return records;
}

/// Damaged, or read; what was read is there the next time too, and one more can be written behind it.
void read_files(std::string_view snapshot, std::string_view journal) {
  std::ofstream(directory() + "/snapshot") << snapshot;
  std::ofstream(directory() + "/journal") << journal;
  Memory disk;
  const auto first = records_of(disk);
  if (!first) return;
  {
    auto opened = store::Journal::open(directory(), [](auto) { return Result<void>{}; }, disk);
    WEFT_ASSERT(opened && opened->append("one more", store::Journal::Safe::kFromOurEnd));
  }
  auto second = records_of(disk);
  WEFT_ASSERT(second && second->size() == first->size() + 1 && second->back() == "one more");
  second->pop_back();
  WEFT_ASSERT(*second == *first);
}

/// Whole records of any content, one for each line: the store opens, or says why not.
void read_records(std::string_view lines) {
  Memory disk;
  {
    auto journal = store::Journal::open(directory(), [](auto) { return Result<void>{}; }, disk);
    WEFT_ASSERT(journal.has_value());
    for (const std::string_view line : split(lines, '\n'))
      WEFT_ASSERT(journal->append(line, store::Journal::Safe::kFromOurEnd));
  }
  const auto loop = net::Loop::simulated();
  const auto opened = store::EmbeddedStore::open(*loop, directory(), disk);
  if (!opened) WEFT_ASSERT(!opened.error().text.empty());
}

}  // namespace

/// What stands in the store's folder. The first byte says whether the rest is the two files, snapshot and
/// journal apart at the first NUL, or the contents of whole records.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::filesystem::create_directory(directory());
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto cut = rest.find('\0');
  if (data[0] != 'f')
    read_records(rest);
  else if (cut == rest.npos)
    read_files("", rest);
  else
    read_files(rest.substr(0, cut), rest.substr(cut + 1));
  std::filesystem::remove_all(directory());
  return 0;
}
