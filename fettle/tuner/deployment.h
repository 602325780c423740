#pragma once

#include <filesystem>
#include <string>

#include "fettle/tuner/session.h"

namespace fettle {

// A point of the session's front: by its id (any verified point, or "original"), "fastest", "knee",
// "accuracy>=0.93" (the fastest of those) or "latency<=0.5ms" (the most accurate of those). Throws
// Error: kUsage for another word, kBadInput where no point satisfies it.
VerifiedPoint PickPoint(const Session& session, const std::string& pick);

// Writes model.onnx, plan.json, weights.bin and manifest.json into a folder that does not exist yet
// or is empty; manifest.json last. Returns the manifest.
std::string Deploy(const Session& session, const VerifiedPoint& point,
                   const std::filesystem::path& folder);

}  // namespace fettle
