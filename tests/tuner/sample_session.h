#pragma once

#include <filesystem>
#include <string>

#include "fettle/tuner/session.h"

namespace fettle {

inline SessionSettings SampleSettings() {
  SessionSettings settings;
  settings.model = "model.onnx";
  settings.model_hash = "abc";
  settings.data = "fashion-mnist";
  settings.device = "0123456789abcdef";
  settings.strategy = "nsga2";
  return settings;
}

inline VerifiedPoint SamplePoint(const std::string& id, double ms, double accuracy) {
  VerifiedPoint point;
  point.id = id;
  point.candidate = id == "original" ? "" : "0,1";
  point.parent = "original";
  point.latency_ms = {ms, 0.9 * ms, 1.1 * ms};
  point.accuracy = {accuracy, accuracy - 0.01, accuracy + 0.01};
  point.memory_bytes = 1000;
  point.changes = {{"conv<1>", "prune(keep=0.5)", "bf16", "onednn.conv:jit:avx2"}};
  return point;
}

}  // namespace fettle
