#pragma once

#include <map>
#include <tuple>

#include "fettle/cost_models/implementation_catalog.h"
#include "fettle/cost_models/layer_costs.h"
#include "fettle/runtime/plan_builder.h"

namespace fettle {

// How a tensor lies in memory.
struct TensorForm {
  DType dtype = DType::kF32;
  Layout layout = Layout::kPlain;

  friend auto operator<=>(const TensorForm&, const TensorForm&) = default;
};

// The cheapest way from one form of a tensor to another. Catalog and costs must outlive it. Not
// thread-safe.
class ReorderCosts : public ReorderChooser {
 public:
  ReorderCosts(ImplementationCatalog* catalog, const LayerCosts& costs)
      : catalog_(catalog), costs_(costs) {}

  // 0 between equal forms, kForbidden where there is no way.
  double Ms(const Shape& shape, const TensorForm& from, const TensorForm& to) const;

  Implementation Choose(const LayerSpec& spec, Layout from, Layout to) const override;

 private:
  struct Best {
    double ms;
    Implementation implementation;
  };
  const Best& Find(const LayerSpec& spec, Layout from, Layout to) const;

  ImplementationCatalog* catalog_;
  const LayerCosts& costs_;
  mutable std::map<std::tuple<LayerKey, Layout, Layout>, Best> known_;
  mutable std::map<std::tuple<Shape, TensorForm, TensorForm>, double> ms_;
};

}  // namespace fettle
