#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "fettle/cost_models/implementation_catalog.h"
#include "fettle/cost_models/layer_costs.h"
#include "fettle/cost_models/reorder_costs.h"
#include "fettle/runtime/plan_builder.h"

namespace fettle {

// A way to compute a layer, and what it costs.
struct LayerOption {
  LayerChoice choice;
  Estimate estimate;
  int64_t workspace_bytes = 0;  // 0 where it is not known
};

// The ways among which one is chosen, and what the choice depends on, option by option.
struct OptionList {
  std::vector<LayerOption> options;
  std::vector<double> ms;
  std::vector<std::vector<TensorForm>> inputs;  // of each input the form it is read in
  std::vector<TensorForm> outputs;
};

// The options of layers, remembered: candidate networks share most of their layers, and a layer has
// dozens of implementations whose costs are looked up by long texts. Valid while the costs do not
// change. Catalog and costs must outlive it. Not thread-safe.
class LayerOptions {
 public:
  // Of several options that read and write the same forms only the `best_of_forms` cheapest are
  // kept, the first of equals: what is around the layer cannot tell them apart, so no other is ever
  // among that many best networks.
  LayerOptions(ImplementationCatalog* catalog, const LayerCosts& costs, int best_of_forms = 1)
      : catalog_(catalog), costs_(costs), best_of_forms_(best_of_forms) {}

  // In the order of the precisions and of the catalog; empty where nothing works. The precisions
  // are such as the layer can have. Valid as long as this.
  const OptionList& Of(const LayerSpec& spec, const std::vector<DType>& precisions);

 private:
  struct Entry {
    LayerSpec spec;
    std::vector<DType> precisions;
    OptionList list;
  };

  OptionList Make(const LayerSpec& spec, const std::vector<DType>& precisions) const;

  ImplementationCatalog* catalog_;
  const LayerCosts& costs_;
  int best_of_forms_;
  std::unordered_map<uint64_t, std::vector<std::unique_ptr<Entry>>> known_;  // by hash
};

}  // namespace fettle
