#pragma once

#include <filesystem>

#include "fettle/core/file.h"
#include "fettle/runtime/plan.h"

namespace fettle {

// A plan on disk: plan.json, which a person can read, and weights.bin beside it, the weights one
// after another, row-major, little-endian, each at a multiple of 64 bytes (docs/plan.md).

// Writes both files into an existing folder, each atomically, plan.json last. `life` and what it
// throws as of WriteFileAtomically.
void WritePlan(const std::filesystem::path& folder, const Plan& plan,
               FileLife life = FileLife::kLasting);

// Reads and checks them: whatever is returned can be prepared and run safely, or refused by a
// primitive. Throws Error (kBadInput) that names the file and the place for files that are missing,
// damaged, of a newer version, or that describe no sound plan.
Plan ReadPlan(const std::filesystem::path& folder);

}  // namespace fettle
