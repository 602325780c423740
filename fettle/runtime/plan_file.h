#pragma once

#include <filesystem>

#include "fettle/runtime/plan.h"

namespace fettle {

// A plan on disk: plan.json, which a person can read, and weights.bin beside it, the weights one
// after another, row-major, little-endian, each at a multiple of 64 bytes (docs/plan.md).

// Writes both files into an existing folder, each atomically, plan.json last. Throws as
// WriteFileAtomically does.
void WritePlan(const std::filesystem::path& folder, const Plan& plan);

// Reads and checks them: whatever is returned can be prepared and run safely, or refused by a
// primitive. Throws Error (kBadInput) that names the file and the place for files that are missing,
// damaged, of a newer version, or that describe no sound plan.
Plan ReadPlan(const std::filesystem::path& folder);

}  // namespace fettle
