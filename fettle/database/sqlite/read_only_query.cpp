#include "fettle/database/sqlite/read_only_query.h"

#include <sqlite3.h>
#include <unistd.h>

#include <string>

namespace fettle {
namespace {

constexpr int kFieldBytes = 16 << 20;
constexpr size_t kResultBytes = size_t{256} << 20;
constexpr int kStepsAtOnce = 1000;

// The connection is read-only; this also keeps a statement from other files and from settings.
int Authorize(void*, int action, const char*, const char* function, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return std::string_view(function) == "load_extension" ? SQLITE_DENY : SQLITE_OK;
    default:
      return SQLITE_DENY;
  }
}

int CountSteps(void* steps_left) {
  auto* left = static_cast<int64_t*>(steps_left);
  *left -= kStepsAtOnce;
  return *left < 0 ? 1 : 0;
}

Error Refusal(std::string_view reason) { return Error(ErrorKind::kUsage, Text("SQL: ", reason)); }

Statement PrepareOne(const Connection& connection, std::string_view sql) {
  std::string_view tail;
  Statement statement = connection.Prepare(sql, &tail);
  while (!tail.empty()) {
    if (!connection.Prepare(tail, &tail).is_empty()) {
      throw Refusal("more than one statement: give them one at a time");
    }
  }
  if (statement.is_empty()) throw Refusal("no statement: give a SELECT");
  if (!statement.is_read_only()) throw Refusal("it would change something: only SELECT is allowed");
  return statement;
}

size_t BytesOf(const std::vector<Cell>& row) {
  size_t bytes = row.size() * sizeof(Cell);
  for (const Cell& value : row) {
    if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
  }
  return bytes;
}

Table ReadTable(Statement* statement, int64_t most_rows) {
  Table table;
  for (int i = 0; i < statement->num_columns(); ++i) {
    table.columns.emplace_back(statement->ColumnName(i));
  }
  size_t bytes = 0;
  while (statement->Step()) {
    if (static_cast<int64_t>(table.rows.size()) >= most_rows || bytes > kResultBytes) {
      table.is_truncated = true;
      break;
    }
    table.rows.push_back(statement->Row());
    bytes += BytesOf(table.rows.back());
  }
  return table;
}

// The statement's own faults are the user's, not the file's.
Error Explained(const Connection& connection, const Error& error, int64_t steps) {
  switch (sqlite3_errcode(connection.handle()) & 0xff) {
    case SQLITE_AUTH:
      return Refusal("not allowed: only SELECT, on this database");
    case SQLITE_INTERRUPT:
      return Refusal(Text("stopped after ", steps, " steps: ask for less"));
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      return Refusal(sqlite3_errmsg(connection.handle()));
    default:
      return error;
  }
}

}  // namespace

ConnectionMode ReadingMode(const std::filesystem::path& path) {
  std::filesystem::path log = path;
  log += "-wal";
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  const bool is_writable = ::access(folder.c_str(), W_OK) == 0;
  std::error_code has_no_log;
  const auto log_bytes = std::filesystem::file_size(log, has_no_log);
  const bool has_log = !has_no_log && log_bytes > 0;
  return is_writable || has_log ? ConnectionMode::kReadOnly : ConnectionMode::kImmutable;
}

Table RunReadOnly(const std::filesystem::path& path, std::string_view sql,
                  std::span<const Cell> parameters, const QueryLimits& limits) {
  const Connection connection(path, ReadingMode(path));
  sqlite3* handle = connection.handle();
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kFieldBytes);
  sqlite3_limit(handle, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000);
  // Makes these tables known, which is more than the statement itself will be allowed to do.
  connection.Prepare("SELECT 1 FROM json_each('[]'), json_tree('[]')");
  sqlite3_set_authorizer(handle, Authorize, nullptr);
  int64_t steps_left = limits.steps;
  sqlite3_progress_handler(handle, kStepsAtOnce, CountSteps, &steps_left);
  try {
    Statement statement = PrepareOne(connection, sql);
    statement.Bind(parameters);
    return ReadTable(&statement, limits.rows);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInternal) throw;
    throw Explained(connection, error, limits.steps);
  }
}

}  // namespace fettle
