#include "fettle/database/cost_database.h"

#include <unistd.h>

#include <cassert>
#include <utility>

#include "fettle/database/filter_text.h"
#include "fettle/database/sqlite/connection.h"
#include "fettle/database/sqlite/folder_lock.h"
#include "fettle/database/sqlite/read_only_query.h"
#include "fettle/database/sqlite/record_row.h"
#include "fettle/database/sqlite/record_store.h"
#include "fettle/database/sqlite/salvage.h"
#include "fettle/database/sqlite/schema.h"

namespace fettle {
namespace {

// All versions of an implementation, on all devices.
constexpr std::string_view kOfTask =
    "layer.key = ?1 AND implementation.name = ?2 AND input_layouts = ?3 AND output_layout = ?4 AND "
    "threads = ?5 AND mode = ?6";

std::string AllOfTask() { return SelectCosts(Text("WHERE ", kOfTask, " ORDER BY cost.id")); }

// Of those that BestMatch ranks alike but for their age, the newest: a layer may have been measured
// hundreds of times, and each record holds all its samples.
std::string NewestOfTask() {
  return SelectCosts(
      Text("WHERE cost.id IN (SELECT id FROM (SELECT cost.id AS id, row_number() OVER (PARTITION "
           "BY implementation, conditions, status, median_ms IS NULL ORDER BY time DESC, cost.id "
           "DESC) AS place FROM cost JOIN layer ON layer.id = cost.layer JOIN implementation ON "
           "implementation.id = cost.implementation WHERE ",
           kOfTask, ") WHERE place = 1) ORDER BY cost.id"));
}

// Nothing is written before the file is known to be ours (or empty), and of a damaged one nothing
// but what brings it up to date.
Connection OpenSound(const std::filesystem::path& path) {
  Connection connection(path, ConnectionMode::kCreate);
  connection.SetWritesOnClose(false);
  connection.Integer("PRAGMA user_version");  // reads the header
  if (connection.is_read_only()) {
    if (::access(path.c_str(), W_OK) != 0)
      throw BadInput(path.string(),
                     ": may not be written: name another file, or open it for reading");
    throw DamagedDatabase(ErrorKind::kBadInput,
                          Text(path.string(), ": damaged (a header that forbids writing)"));
  }
  Migrate(&connection, SchemaSteps());
  RequireSchema(connection, SchemaSteps());
  const std::string verdict = connection.String("PRAGMA integrity_check(1)");
  if (verdict != "ok") {
    throw DamagedDatabase(ErrorKind::kBadInput, Text(path.string(), ": damaged (", verdict, ")"));
  }
  if (connection.String("PRAGMA journal_mode") != "wal") {
    connection.String("PRAGMA journal_mode=WAL");
  }
  connection.Execute("PRAGMA synchronous=FULL");
  connection.SetWritesOnClose(true);
  return connection;
}

}  // namespace

struct CostDatabase::Impl {
  Impl(Connection opened, Access access)
      : connection(std::move(opened)),
        newest_of_task(connection.Prepare(NewestOfTask())),
        all_of_task(connection.Prepare(AllOfTask())) {
    if (access == Access::kReadWrite) writer.emplace(connection);
  }

  template <typename Record>
  void Insert(std::span<const Record> records) {
    assert(writer.has_value());
    if (records.empty()) return;
    Transaction transaction(&connection);
    if (connection.HasMoved()) {
      throw Error(ErrorKind::kDevice, Text(connection.path().string(),
                                           ": moved or replaced while in use: open it again"));
    }
    for (const Record& record : records) writer->Write(record);
    transaction.Commit();
  }

  Connection connection;
  Statement newest_of_task, all_of_task;
  std::optional<RecordWriter> writer;
  std::optional<Salvage> salvage;
  int64_t num_unreadable = 0;
};

namespace {

// Some damage (to the format's number, say) SQLite reports as an error without a name.
template <typename Open>
auto OrDamaged(const std::filesystem::path& path, const Open& open) {
  try {
    return open();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInternal) throw;
    throw DamagedDatabase(ErrorKind::kBadInput,
                          Text(path.string(), ": damaged (", error.what(),
                               "): opening it for writing saves what can be read"));
  }
}

}  // namespace

CostDatabase::CostDatabase(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CostDatabase::CostDatabase(CostDatabase&&) noexcept = default;
CostDatabase& CostDatabase::operator=(CostDatabase&&) noexcept = default;
CostDatabase::~CostDatabase() = default;

CostDatabase CostDatabase::Open(const std::filesystem::path& path, Access access) {
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) {
    throw BadInput(path.string(), ": a folder: name the file in it that is to be the database");
  }
  if (access == Access::kReadOnly) {
    std::error_code unknown;
    if (!std::filesystem::exists(path, unknown)) {
      throw BadInput(path.string(), ": no such file: name a cost database");
    }
    const auto open = [&] {
      Connection connection(path, ReadingMode(path));
      RequireVersion(connection, static_cast<int64_t>(SchemaSteps().size()));
      RequireSchema(connection, SchemaSteps());
      return CostDatabase(std::make_unique<Impl>(std::move(connection), access));
    };
    try {
      return OrDamaged(path, open);
    } catch (const DamagedDatabase&) {
      if (WasCostDatabase(path)) throw;
      throw BadInput(path.string(), ": no cost database: name another file");
    }
  }
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) {
    throw BadInput(folder.string(), ": cannot be made (", failed.message(),
                   "): name another place for the database");
  }
  const FolderLock lock(folder);
  const auto open = [&] { return std::make_unique<Impl>(OpenSound(path), access); };
  try {
    return CostDatabase(OrDamaged(path, open));
  } catch (const DamagedDatabase& damage) {
    if (!WasCostDatabase(path)) {
      throw BadInput(path.string(), ": no cost database: name another file");
    }
    Salvage salvage = SalvageDatabase(path, damage.what());
    auto impl = open();
    impl->salvage = std::move(salvage);
    return CostDatabase(std::move(impl));
  }
}

const std::filesystem::path& CostDatabase::path() const { return impl_->connection.path(); }
const std::optional<Salvage>& CostDatabase::salvage() const { return impl_->salvage; }
int64_t CostDatabase::num_unreadable() const { return impl_->num_unreadable; }

void CostDatabase::Insert(std::span<const CostRecord> records) { impl_->Insert(records); }
void CostDatabase::Insert(std::span<const NetworkRecord> records) { impl_->Insert(records); }

CostMatch CostDatabase::LookUp(const CostQuery& query) const {
  const LayerTask& task = query.task;
  const std::vector<Cell> values{task.key.text,
                                 task.implementation,
                                 LayoutsText(task.inputs),
                                 std::string(NameOf(task.output)),
                                 int64_t{task.threads},
                                 std::string(NameOf(task.mode))};
  int64_t num_unreadable = 0;
  impl_->newest_of_task.Bind(values);
  const auto newest = ReadAll(&impl_->newest_of_task, CostRecordOf, &num_unreadable);
  if (num_unreadable == 0) return BestMatch(newest, query);
  // An older one answers in the place of one that was altered.
  impl_->all_of_task.Bind(values);
  return BestMatch(ReadAll(&impl_->all_of_task, CostRecordOf, &impl_->num_unreadable), query);
}

std::vector<CostRecord> CostDatabase::Find(const CostFilter& filter) const {
  std::vector<Cell> values;
  const std::string condition = FilterText(filter, &values);
  Statement statement = impl_->connection.Prepare(SelectCosts(
      Text("WHERE cost.id IN (SELECT id FROM costs WHERE ", condition, ") ORDER BY cost.id")));
  statement.Bind(values);
  return ReadAll(&statement, CostRecordOf, &impl_->num_unreadable);
}

std::vector<CostRecord> CostDatabase::Find(const LayerKey& key) const {
  Statement statement =
      impl_->connection.Prepare(SelectCosts("WHERE layer.key = ?1 ORDER BY cost.id"));
  statement.Bind(std::vector<Cell>{key.text});
  return ReadAll(&statement, CostRecordOf, &impl_->num_unreadable);
}

std::vector<NetworkRecord> CostDatabase::FindNetworks(std::string_view plan) const {
  Statement statement =
      impl_->connection.Prepare(SelectNetworks("WHERE plan = ?1 ORDER BY network.id"));
  statement.Bind(std::vector<Cell>{std::string(plan)});
  return ReadAll(&statement, NetworkRecordOf, &impl_->num_unreadable);
}

Table CostDatabase::Select(std::string_view sql, std::span<const Cell> parameters,
                           const QueryLimits& limits) const {
  return RunReadOnly(path(), sql, parameters, limits);
}

}  // namespace fettle
