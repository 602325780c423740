// How a damaged file is read. Its rows are asked for one by one, by their numbers: a page that
// cannot be read costs the rows that lie on it and no others, which going through a table from its
// beginning would. The numbers run from 1 without gaps, since nothing is ever deleted, and there
// cannot be more of them than the file has room for. What is read counts only if its checksum says
// that it is what was written, so any means of finding rows is safe.
//
// The first page says where each table begins, so damage there would cost everything. But a sound
// file made in the same way has the same first page, but for some counters: the rows are looked for
// through that one first, and only where that gives nothing of a table (the file was made by an
// older version, and its tables begin elsewhere) through the file's own.
#include "fettle/database/sqlite/salvage.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include "fettle/database/sqlite/connection.h"
#include "fettle/database/sqlite/record_row.h"
#include "fettle/database/sqlite/record_store.h"
#include "fettle/database/sqlite/schema.h"

namespace fettle {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr int64_t kLeastRowBytes = 64;  // of a record; most are ten times as long

fs::path WithSuffix(const fs::path& path, std::string_view suffix) {
  fs::path result = path;
  result += suffix;
  return result;
}

fs::path LogOf(const fs::path& path) { return WithSuffix(path, "-wal"); }

bool HasLog(const fs::path& path) {
  return fs::exists(LogOf(path)) && fs::file_size(LogOf(path)) > 0;
}

void RemoveDatabase(const fs::path& path) {
  for (const std::string_view suffix : {"", "-wal", "-shm", "-journal"}) {
    fs::remove(WithSuffix(path, suffix));
  }
}

fs::path UnusedName(const fs::path& path) {
  for (int i = 1;; ++i) {
    fs::path name = WithSuffix(path, Text(".damaged-", i));
    if (!fs::exists(name)) return name;
  }
}

// A database that exists only for as long as this object.
class ScratchFile {
 public:
  explicit ScratchFile(fs::path path) : path_(std::move(path)) { RemoveDatabase(path_); }
  ~ScratchFile() {
    std::error_code ignored;
    for (const std::string_view suffix : {"", "-wal", "-shm", "-journal"}) {
      fs::remove(WithSuffix(path_, suffix), ignored);
    }
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void CopyDatabase(const fs::path& from, const fs::path& to) {
  RemoveDatabase(to);
  fs::copy_file(from, to);
  if (HasLog(from)) fs::copy_file(LogOf(from), LogOf(to));
}

// The first page of `sound` in the place of that of `damaged`, whose size in pages is then that of
// the file.
void GraftFirstPage(const fs::path& sound, const fs::path& damaged) {
  std::string page(kPageBytes, '\0');
  std::ifstream(sound, std::ios::binary).read(page.data(), kPageBytes);
  const auto pages = static_cast<uint64_t>(fs::file_size(damaged) / kPageBytes);
  for (size_t i = 0; i < 4; ++i) {
    page[28 + i] = static_cast<char>(pages >> (24 - 8 * i) & 255);
  }
  std::fstream(damaged, std::ios::binary | std::ios::in | std::ios::out)
      .write(page.data(), kPageBytes);
}

class Salvager {
 public:
  Salvager(const fs::path& damaged, Connection* sound)
      : damaged_(damaged), sound_(sound), writer_(*sound) {}

  // All that the file as it lies tells of tables of which nothing has been kept yet.
  void Copy(Salvage* result) {
    const int64_t most_rows = static_cast<int64_t>(fs::file_size(damaged_)) / kLeastRowBytes + 1;
    try {
      Connection damaged(damaged_, ConnectionMode::kCreate);
      Migrate(&damaged, SchemaSteps());
      Transaction transaction(sound_);
      if (result->costs_kept == 0) {
        CopyRows(damaged, SelectCosts("WHERE cost.id = ?1"), CostRecordOf, most_rows)
            .AddTo(&result->costs_kept, &result->costs_lost);
      }
      if (result->networks_kept == 0) {
        CopyRows(damaged, SelectNetworks("WHERE network.id = ?1"), NetworkRecordOf, most_rows)
            .AddTo(&result->networks_kept, &result->networks_lost);
      }
      transaction.Commit();
    } catch (const Error& error) {
      // It cannot be opened at all, or its tables are others. A full disk is another matter.
      if (error.kind() == ErrorKind::kDevice) throw;
    }
  }

 private:
  struct Count {
    int64_t kept = 0, last = 0;

    void AddTo(int64_t* all_kept, int64_t* all_lost) const {
      *all_kept += kept;
      *all_lost = kept > 0 ? last - kept : std::max(*all_lost, last);
    }
  };

  template <typename Record>
  Count CopyRows(const Connection& damaged, const std::string& select,
                 std::optional<Record> (*record_of)(const std::vector<Cell>&), int64_t most_rows) {
    Count count;
    Statement statement = damaged.Prepare(select);
    for (int64_t id = 1; id <= most_rows; ++id) {
      const std::optional<std::vector<Cell>> row = ReadRow(&statement, id);
      if (!row) continue;
      count.last = id;
      if (const std::optional<Record> record = record_of(*row)) {
        writer_.Write(*record);
        ++count.kept;
      }
    }
    return count;
  }

  static std::optional<std::vector<Cell>> ReadRow(Statement* statement, int64_t id) {
    statement->Reset();
    statement->Bind(std::vector<Cell>{id});
    try {
      if (statement->Step()) return statement->Row();
    } catch (const DamagedDatabase&) {
    }
    return std::nullopt;
  }

  fs::path damaged_;
  Connection* sound_;
  RecordWriter writer_;
};

// Everything up to the new file's being whole, beside the damaged one.
void Rescue(const fs::path& path, const fs::path& fresh, Salvage* result) {
  const ScratchFile donor(WithSuffix(path, ".salvage-donor"));
  {
    Connection made(donor.path(), ConnectionMode::kCreate);
    Migrate(&made, SchemaSteps());
  }
  const ScratchFile copy(WithSuffix(path, ".salvage-copy"));
  fs::copy_file(donor.path(), fresh);
  Connection sound(fresh, ConnectionMode::kCreate);
  Salvager salvager(copy.path(), &sound);
  CopyDatabase(path, copy.path());
  GraftFirstPage(donor.path(), copy.path());
  salvager.Copy(result);
  if (result->costs_kept > 0 && result->networks_kept > 0) return;
  CopyDatabase(path, copy.path());
  salvager.Copy(result);
}

}  // namespace

bool WasCostDatabase(const fs::path& path) {
  std::string head(1 << 16, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(file.gcount()));
  if (head.size() < 100) return kMagic.substr(0, head.size()) == head.substr(0, kMagic.size());
  std::string id;
  for (int shift = 24; shift >= 0; shift -= 8) id += static_cast<char>(kApplicationId >> shift);
  return head.compare(68, 4, id) == 0 || head.find("CREATE TABLE conditions(") != head.npos;
}

Salvage SalvageDatabase(const fs::path& path, const std::string& reason) {
  Salvage result;
  result.reason = reason;
  try {
    const ScratchFile fresh(WithSuffix(path, ".salvage-new"));
    Rescue(path, fresh.path(), &result);
    result.damaged_file = UnusedName(path);
    // A link, so that there is no moment without a file in the place; a copy where the file system
    // has no links. The old log must be gone before the new file comes: SQLite would apply it.
    std::error_code has_no_links;
    fs::create_hard_link(path, result.damaged_file, has_no_links);
    if (has_no_links) fs::copy_file(path, result.damaged_file);
    if (HasLog(path)) fs::rename(LogOf(path), LogOf(result.damaged_file));
    fs::remove(LogOf(path));
    fs::remove(WithSuffix(path, "-shm"));
    fs::rename(fresh.path(), path);
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorKind::kDevice, Text(path.string(),
                                         ": damaged, and what can be read cannot be "
                                         "saved (",
                                         error.code().message(), "): free space"));
  }
  return result;
}

}  // namespace fettle
