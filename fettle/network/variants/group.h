#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/network/variants/factor_variant.h"

namespace fettle {

// group(groups=N): a convolution in N groups (Moonshine's A, Crowley et al. 2018). Its inputs and
// outputs are first put in an order that keeps much of the layer in the groups (block_order.h), as
// far as they may change places; in all that makes and reads these channels they change places too,
// so that alone changes nothing. Then what is outside of the groups goes and the rest is refitted.
//
// With a calibration the energy of an input and an output is that of the input's patches through
// its weights, and of that order and the one from the weights alone the better is taken. The
// calibration given does not fit the result: other layers read channels in the new order too. Let
// it be carried (RewriteOptions) where more rewrites follow.
class GroupVariant : public FactorVariant {
 public:
  explicit GroupVariant(int64_t groups) : groups_(groups) {}

  Graph Rewrite(const Graph& graph, std::string_view layer,
                const RewriteOptions& options) const override;

  // With the channels in the order that the weights alone give them.
  std::optional<double> WeightError(const Graph& graph, std::string_view layer) const override;

  std::string Text() const override;
  std::string WhyNot(const WeightedLayer& layer) const override;
  std::vector<FactorShape> Shapes(const WeightedLayer& layer) const override;
  // In the order that the kernel has.
  std::vector<Factor> Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                const Moments* input) const override;

 private:
  int64_t groups_;
};

std::unique_ptr<Variant> ParseGroup(VariantText text);
std::vector<std::unique_ptr<FactorVariant>> OfferGroup(LayerSpectra& spectra,
                                                       const DecisionOptions& options);

inline constexpr VariantKind kGroupKind = {"group", ParseGroup, nullptr, OfferGroup};

}  // namespace fettle
