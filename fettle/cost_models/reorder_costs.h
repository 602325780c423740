#pragma once

#include <array>
#include <map>
#include <tuple>
#include <utility>

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
  ReorderCosts(const ReorderCosts&) = delete;  // its tables know it
  ReorderCosts& operator=(const ReorderCosts&) = delete;

  // What is known of the tensors of one shape, for whoever asks for many of its forms.
  class Table;
  // Valid as long as this.
  const Table& Of(const Shape& shape) const;

  // 0 between equal forms, kForbidden where there is no way.
  double Ms(const Shape& shape, const TensorForm& from, const TensorForm& to) const;

  Implementation Choose(const LayerSpec& spec, Layout from, Layout to) const override;

 private:
  struct Best {
    double ms;
    Implementation implementation;
  };
  const Best& Find(const LayerSpec& spec, Layout from, Layout to) const;
  double Price(const Shape& shape, const TensorForm& from, const TensorForm& to) const;

  ImplementationCatalog* catalog_;
  const LayerCosts& costs_;
  mutable std::map<std::tuple<LayerKey, Layout, Layout>, Best> known_;
  mutable std::map<Shape, Table> tables_;
};

class ReorderCosts::Table {
 public:
  Table(const ReorderCosts& costs, const Shape& shape);

  // As above.
  double Ms(const TensorForm& from, const TensorForm& to) const;

 private:
  static constexpr size_t kForms = 8;  // f32 and bf16, each in four layouts

  const ReorderCosts& costs_;
  Shape shape_;
  mutable std::array<double, kForms * kForms> known_;  // NaN until asked for
  mutable std::map<std::pair<TensorForm, TensorForm>, double> others_;
};

}  // namespace fettle
