#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fettle/core/layer_spec.h"
#include "fettle/cost_models/implementation_catalog.h"
#include "fettle/cost_models/measured_costs.h"
#include "fettle/database/cost_database.h"
#include "fettle/device/plan_protocol.h"
#include "fettle/device/worker_client.h"
#include "fettle/runtime/plan.h"

namespace fettle {

// What was asked of the cost database, counted in (layer, implementation) pairs.
struct RecordCounts {
  int64_t requested = 0, reused = 0, added = 0;
  std::map<std::string, int64_t> remeasured;  // by reason
};

// The costs of layers on a device: those that the database holds, and those that it has the worker
// measure and puts there, each at once, so that a kill loses what is being measured and no more.
// What the database holds is looked at layer by layer, as they are required, and of no other layer:
// so what is predicted of the others depends on what was asked for and not on what happened to be
// measured before, and a session run again asks for the same.
class CostStore {
 public:
  // All outlive it. `device` describes the worker's; `who` is recorded with what is measured.
  // Without a database nothing is known; then nothing may be required.
  CostStore(CostDatabase* database, WorkerClient* worker, ImplementationCatalog* catalog,
            Description device, std::string who);

  // Makes sure that every implementation of the layer has been measured, now or before.
  void Require(const LayerSpec& spec);
  bool IsRequired(const LayerSpec& spec) const { return required_.contains(KeyOf(spec)); }

  // Whether Require would measure nothing.
  bool IsComplete(const LayerSpec& spec) const;

  // How long measuring a layer that was required takes, reckoned from what is known of it: the same
  // number when it has been measured just now and when it was in the database.
  double ReckonedSeconds(const LayerSpec& spec) const;

  // What a plan's steps took inside the network, kept with the mode kInNetwork, a few times for
  // each layer and implementation: their median moves no more. And what was kept so of this device,
  // threads and versions, as far as it has a latency.
  void KeepInNetwork(const Plan& plan, const std::vector<StepTiming>& steps);
  std::vector<CostRecord> FindInNetwork() const;

  const MeasuredCosts& costs() const { return costs_; }
  const RecordCounts& counts() const { return counts_; }
  const Description& device() const { return device_; }

 private:
  void LoadRecords();
  CostRecord RecordOf(const LayerSpec& spec, const Implementation& implementation,
                      const Timing& timing) const;

  CostDatabase* database_;
  WorkerClient* worker_;
  ImplementationCatalog* catalog_;
  Description device_;
  std::string who_;
  std::map<LayerKey, std::vector<CostRecord>> in_database_;
  MeasuredCosts known_;  // all of them
  MeasuredCosts costs_;  // of the layers required
  RecordCounts counts_;
  std::optional<std::map<std::string, int>> in_network_;  // records, by task; when first needed
  std::set<LayerKey> required_;
  std::set<std::string> outdated_;  // layer and implementation, measured with other versions only
};

}  // namespace fettle
