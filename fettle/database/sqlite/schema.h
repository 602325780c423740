#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "fettle/database/sqlite/connection.h"

namespace fettle {

// "Fcdb", in the file's header at byte 68.
constexpr int32_t kApplicationId = 0x46636462;

// Of every file, so that the first page has room for the whole schema.
constexpr int kPageBytes = 8192;

// The format's history: step i takes a file from version i to version i + 1 (PRAGMA user_version).
// A step that has been released is never changed; docs/database.md says what each brought.
std::span<const std::string_view> SchemaSteps();

// Brings an empty file, or one of an older version, to version steps.size(), in one transaction.
// Throws BadInput for a file of a newer version and for another application's.
void Migrate(Connection* connection, std::span<const std::string_view> steps);

// Throws BadInput unless the file has just this version; changes nothing.
void RequireVersion(const Connection& connection, int64_t version);

// Throws DamagedDatabase unless a file of the newest version has all that the steps make, in the
// words that made it. Somebody may have added to it.
void RequireSchema(const Connection& connection, std::span<const std::string_view> steps);

}  // namespace fettle
