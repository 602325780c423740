#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/database/cost_filter.h"
#include "fettle/database/cost_match.h"
#include "fettle/database/cost_record.h"
#include "fettle/database/table.h"

namespace fettle {

// What became of a damaged database (docs/database.md).
struct Salvage {
  std::filesystem::path damaged_file;  // where it lies now, as it was found
  std::string reason;
  int64_t costs_kept = 0;
  int64_t costs_lost = 0;  // at least so many, by the gaps they left
  int64_t networks_kept = 0;
  int64_t networks_lost = 0;
};

// The bounds within which a query of somebody's own is run.
struct QueryLimits {
  int64_t rows = 100'000;
  int64_t steps = 2'000'000'000;  // of SQLite's virtual machine: some tens of seconds
};

// A file that holds what has been measured; docs/database.md describes its format. Several
// processes may have it open and insert at once. Every function throws Error: kBadInput where the
// file cannot be used, kDevice where the disk is full or fails or another process keeps the file
// locked. Use one object from one thread at a time and do not take it across a fork.
class CostDatabase {
 public:
  enum class Access { kReadOnly, kReadWrite };

  // kReadWrite makes a missing file and its folder, brings an older format up to date, and sets a
  // damaged file aside: then salvage() tells what could be read and is in the new one. kReadOnly
  // changes nothing. Both refuse a file of a newer format and one that is no cost database.
  static CostDatabase Open(const std::filesystem::path& path, Access access);

  CostDatabase(CostDatabase&&) noexcept;
  CostDatabase& operator=(CostDatabase&&) noexcept;
  ~CostDatabase();

  const std::filesystem::path& path() const;
  const std::optional<Salvage>& salvage() const;

  // All of them or, where it throws, none. Asserts kReadWrite, one layout for each input, and
  // numbers that are finite (but for Measurement::error).
  void Insert(std::span<const CostRecord> records);
  void Insert(std::span<const NetworkRecord> records);
  void Insert(const CostRecord& record) { Insert(std::span(&record, 1)); }
  void Insert(const NetworkRecord& record) { Insert(std::span(&record, 1)); }

  // The record that answers best (BestMatch in cost_match.h), with how well it does.
  CostMatch LookUp(const CostQuery& query) const;

  // In the order inserted.
  std::vector<CostRecord> Find(const CostFilter& filter) const;
  std::vector<CostRecord> Find(const LayerKey& key) const;
  std::vector<NetworkRecord> FindNetworks(std::string_view plan) const;

  // Records that LookUp and Find have passed over so far because they are not what was written.
  int64_t num_unreadable() const;

  // The result of one SELECT (over the views and tables of docs/database.md), with `parameters` in
  // the place of its question marks. Anything that would change something, and a query that takes
  // more steps than the limit, is an Error of kind kUsage.
  Table Select(std::string_view sql, std::span<const Cell> parameters = {},
               const QueryLimits& limits = {}) const;

 private:
  struct Impl;
  explicit CostDatabase(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace fettle
