#include "fettle/database/sqlite/connection.h"

#include <sqlite3.h>

#include <cctype>
#include <new>
#include <utility>

namespace fettle {
namespace {

constexpr int kBusyMilliseconds = 10'000;

// SQLite's name for a file that is not even locked. In a URI, every character that might mean
// something is written as its number.
std::string ImmutableUri(std::string_view path) {
  std::string uri = "file:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '/' || c == '.' || c == '-' || c == '_') {
      uri += c;
    } else {
      uri += '%';
      uri += "0123456789ABCDEF"[byte >> 4];
      uri += "0123456789ABCDEF"[byte & 15];
    }
  }
  return uri.append("?immutable=1");
}

std::string BlobLiteral(const void* data, int size) {
  std::string literal = "x'";
  for (int i = 0; i < size; ++i) {
    const auto byte = static_cast<const unsigned char*>(data)[i];
    literal += "0123456789abcdef"[byte >> 4];
    literal += "0123456789abcdef"[byte & 15];
  }
  return literal.append("'");
}

struct BindTo {
  sqlite3_stmt* handle;
  int index;

  int operator()(std::monostate) const { return sqlite3_bind_null(handle, index); }
  int operator()(int64_t value) const { return sqlite3_bind_int64(handle, index, value); }
  int operator()(double value) const { return sqlite3_bind_double(handle, index, value); }
  int operator()(const std::string& value) const {
    return sqlite3_bind_text64(handle, index, value.data(), value.size(), SQLITE_TRANSIENT,
                               SQLITE_UTF8);
  }
};

}  // namespace

void Connection::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

void Statement::Finalize::operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }

Connection::Connection(std::filesystem::path path, ConnectionMode mode) : path_(std::move(path)) {
  // Absolute, so that no name (":memory:", "file:...") means anything but a file.
  const std::string absolute = path_.empty() ? "" : std::filesystem::absolute(path_).string();
  const bool is_immutable = mode == ConnectionMode::kImmutable;
  const bool is_memory = mode == ConnectionMode::kMemory;
  const int flags = is_memory || mode == ConnectionMode::kCreate
                        ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                        : SQLITE_OPEN_READONLY;
  const std::string name = is_memory      ? ":memory:"
                           : is_immutable ? ImmutableUri(absolute)
                                          : absolute;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      name.c_str(), &handle,
      flags | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX | (is_immutable ? SQLITE_OPEN_URI : 0),
      nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) Throw(code);
  sqlite3_busy_timeout(handle, kBusyMilliseconds);
  // The file may have come from anywhere: nothing in it is run or believed.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  Execute("PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON");
}

void Connection::Throw(int code) const {
  const std::string words =
      handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_.get());
  const std::string file = path_.string();
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      throw DamagedDatabase(
          ErrorKind::kBadInput,
          Text(file, ": damaged (", words, "): opening it for writing saves what can be read"));
    case SQLITE_FULL:
    case SQLITE_IOERR:
      throw Error(ErrorKind::kDevice,
                  Text(file, ": the disk is full or fails (", words,
                       "): free space or name another file; what was written before is kept"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      throw Error(ErrorKind::kDevice, Text(file, ": locked by another process (", words,
                                           "): try again when that has finished"));
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      throw BadInput(file, ": cannot be opened (", words,
                     "): check that the folder is there and who may read and write it");
    case SQLITE_NOMEM:
      throw std::bad_alloc();
    default:
      throw Error(ErrorKind::kInternal, Text(file, ": ", words, " (SQLite code ", code, ")"));
  }
}

void Connection::Execute(const std::string& sql) {
  const int code = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) Throw(code);
}

int64_t Connection::Integer(std::string_view sql) const {
  Statement statement = Prepare(sql);
  const Cell value = statement.Step() ? statement.Column(0) : Cell();
  const auto* integer = std::get_if<int64_t>(&value);
  return integer == nullptr ? 0 : *integer;
}

std::string Connection::String(std::string_view sql) const {
  Statement statement = Prepare(sql);
  Cell value = statement.Step() ? statement.Column(0) : Cell();
  auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? "" : std::move(*text);
}

Statement Connection::Prepare(std::string_view sql, std::string_view* tail) const {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const int code =
      sqlite3_prepare_v2(handle(), sql.data(), static_cast<int>(sql.size()), &statement, &rest);
  if (code != SQLITE_OK) Throw(code);
  if (tail != nullptr) *tail = sql.substr(static_cast<size_t>(rest - sql.data()));
  return {this, statement};
}

void Connection::SetWritesOnClose(bool writes) {
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, writes ? 0 : 1, nullptr);
}

bool Connection::is_read_only() const { return sqlite3_db_readonly(handle(), "main") != 0; }

bool Connection::HasMoved() const {
  int has_moved = 0;
  sqlite3_file_control(handle(), "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
  return has_moved != 0;
}

void Statement::Bind(std::span<const Cell> values) {
  const auto places = static_cast<size_t>(sqlite3_bind_parameter_count(handle_.get()));
  for (size_t i = 0; i < values.size() && i < places; ++i) {
    const int code = std::visit(BindTo{handle_.get(), static_cast<int>(i + 1)}, values[i]);
    if (code != SQLITE_OK) connection_->Throw(code);
  }
}

bool Statement::Step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  // Reset first: it ends the statement's hold on the file, and keeps the message.
  sqlite3_reset(handle_.get());
  connection_->Throw(code);
}

void Statement::Reset() { sqlite3_reset(handle_.get()); }

void Statement::Run(std::span<const Cell> values) {
  Reset();
  Bind(values);
  while (Step()) {
  }
  Reset();
}

bool Statement::is_read_only() const { return sqlite3_stmt_readonly(handle_.get()) != 0; }

int Statement::num_columns() const { return sqlite3_column_count(handle_.get()); }

std::string_view Statement::ColumnName(int column) const {
  const char* name = sqlite3_column_name(handle_.get(), column);
  return name == nullptr ? "" : name;
}

Cell Statement::Column(int column) const {
  sqlite3_stmt* row = handle_.get();
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(row, column);
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
      if (text == nullptr) return {};  // for want of memory
      return std::string(text, static_cast<size_t>(sqlite3_column_bytes(row, column)));
    }
    case SQLITE_BLOB: {
      const void* data = sqlite3_column_blob(row, column);
      return BlobLiteral(data, sqlite3_column_bytes(row, column));
    }
    default:
      return {};
  }
}

std::vector<Cell> Statement::Row() const {
  std::vector<Cell> row(static_cast<size_t>(num_columns()));
  for (int i = 0; i < num_columns(); ++i) row[static_cast<size_t>(i)] = Column(i);
  return row;
}

Transaction::Transaction(Connection* connection) : connection_(connection) {
  connection_->Execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // Where SQLite has rolled back by itself (a full disk) this fails, rightly.
  if (is_open_) sqlite3_exec(connection_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::Commit() {
  connection_->Execute("COMMIT");
  is_open_ = false;
}

}  // namespace fettle
