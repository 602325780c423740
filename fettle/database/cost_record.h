#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fettle/core/fingerprint.h"
#include "fettle/core/layer_spec.h"
#include "fettle/core/layout.h"
#include "fettle/core/measurement.h"

namespace fettle {

// When, by whom and on what something was measured.
struct Provenance {
  Fingerprint fingerprint;  // DeviceId(fingerprint) is the device
  int64_t time = 0;         // seconds since 1970, UTC
  std::string who;          // who measured: a user, a session, a laboratory

  friend bool operator==(const Provenance&, const Provenance&) = default;
};

// A layer done in one way, as fields of a measurement or of a question for one. A reorder is a
// layer like any other.
struct LayerTask {
  LayerKey key;
  std::string implementation;  // "onednn.conv:jit:avx2"
  int version = 1;             // of the implementation
  std::vector<Layout> inputs;
  Layout output = Layout::kPlain;
  int threads = 1;
  CacheMode mode = CacheMode::kHot;

  friend bool operator==(const LayerTask&, const LayerTask&) = default;
};

// What a layer cost. task.mode is measurement.mode.
struct CostRecord {
  LayerTask task;
  Measurement measurement;
  // How long its threads stood in a run queue during one run, together, on average: what the
  // machine's other users took. Nothing where the system does not tell.
  std::optional<double> waited_ms;
  Provenance provenance;

  friend bool operator==(const CostRecord&, const CostRecord&) = default;
};

// What a whole network cost, executed by a plan.
struct NetworkRecord {
  std::string plan;     // the hash of the plan's canonical text
  std::string network;  // its name, for people
  int threads = 1;
  Measurement measurement;
  std::optional<double> waited_ms;    // as in CostRecord
  int64_t planned_bytes = 0;          // weights, arena and workspace, as the plan has them
  std::optional<int64_t> peak_bytes;  // the process's peak, where it was measured
  std::optional<Interval> energy_mj;  // of one inference, where there is a meter
  Provenance provenance;

  friend bool operator==(const NetworkRecord&, const NetworkRecord&) = default;
};

}  // namespace fettle
