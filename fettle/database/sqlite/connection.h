#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/database/table.h"

struct sqlite3;
struct sqlite3_stmt;

namespace fettle {

// The file's bytes are not those of a sound database.
class DamagedDatabase : public Error {
 public:
  using Error::Error;
};

enum class ConnectionMode {
  kMemory,     // no file, whatever the path
  kCreate,     // reads and writes, making the file where it is missing
  kReadOnly,   // a file that others may be writing
  kImmutable,  // a file that nobody writes, on a medium where nobody can
};

class Statement;

// A connection to an SQLite file, which waits up to 10 s for other processes. Failures become
// Errors that name the file.
class Connection {
 public:
  Connection(std::filesystem::path path, ConnectionMode mode);

  const std::filesystem::path& path() const { return path_; }
  sqlite3* handle() const { return handle_.get(); }

  void Execute(const std::string& sql);         // statements without a result
  int64_t Integer(std::string_view sql) const;  // the one field of a result
  std::string String(std::string_view sql) const;

  // The first of the statements, valid as long as the connection; `tail` gets what follows it.
  Statement Prepare(std::string_view sql, std::string_view* tail = nullptr) const;

  // Whether closing may write the log's pages into the file, as it does at first.
  void SetWritesOnClose(bool writes);

  // Whether it was opened for reading, or the file itself rules writing out.
  bool is_read_only() const;

  // Whether the file was replaced, moved or removed since it was opened.
  bool HasMoved() const;

  [[noreturn]] void Throw(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };

  std::filesystem::path path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

class Statement {
 public:
  // Binds values to ?1, ?2, ...; values that the statement has no place for are passed over.
  void Bind(std::span<const Cell> values);

  bool Step();                             // whether there is a row
  void Reset();                            // ready for other values
  void Run(std::span<const Cell> values);  // Reset, Bind and Step through

  bool is_empty() const { return handle_ == nullptr; }  // a comment, a semicolon or nothing
  bool is_read_only() const;
  int num_columns() const;
  std::string_view ColumnName(int column) const;
  Cell Column(int column) const;  // a BLOB as SQL's literal, x'0f10'
  std::vector<Cell> Row() const;

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const;
  };

  Statement(const Connection* connection, sqlite3_stmt* handle)
      : connection_(connection), handle_(handle) {}

  const Connection* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

// From its making to Commit() the only writer; rolled back where it ends without.
class Transaction {
 public:
  explicit Transaction(Connection* connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void Commit();

 private:
  Connection* connection_;
  bool is_open_ = true;
};

}  // namespace fettle
