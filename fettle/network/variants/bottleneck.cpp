#include "fettle/network/variants/bottleneck.h"

#include "fettle/core/error.h"
#include "fettle/network/variants/tucker2.h"

namespace fettle {

std::string BottleneckVariant::Text() const {
  return fettle::Text("bottleneck(reduction=", reduction_, ")");
}

std::string BottleneckVariant::WhyNot(const WeightedLayer& layer) const {
  std::string reason = WhyNotSpatial(layer);
  if (!reason.empty()) return reason;
  if (layer.outputs % reduction_ != 0) {
    return fettle::Text("its ", layer.outputs, " outputs are no multiple of ", reduction_);
  }
  const int64_t middle = layer.outputs / reduction_;
  if (middle > layer.inputs) {
    return fettle::Text("the ", middle, " channels between would be more than its ", layer.inputs,
                        " inputs");
  }
  return "";
}

std::vector<FactorShape> BottleneckVariant::Shapes(const WeightedLayer& layer) const {
  const int64_t middle = layer.outputs / reduction_;
  return {PointwiseFactor(middle, layer.inputs),
          {middle, middle, 1, layer.window},
          PointwiseFactor(layer.outputs, middle)};
}

std::vector<Factor> BottleneckVariant::Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                                 const Moments* input) const {
  const int64_t middle = layer.outputs / reduction_;
  return Tucker2Variant(middle, middle).Factorise(layer, kernel, input);
}

double BottleneckVariant::LeastErrorFrom(LayerSpectra& spectra) const {
  const int64_t middle = spectra.layer().outputs / reduction_;
  return spectra.LeastLossOfRanks(middle, middle);
}

std::unique_ptr<Variant> ParseBottleneck(VariantText text) {
  const int64_t reduction = text.TakeCount("reduction");
  text.Finish();
  return std::make_unique<BottleneckVariant>(reduction);
}

std::vector<std::unique_ptr<FactorVariant>> OfferBottleneck(LayerSpectra& spectra,
                                                            const DecisionOptions& options) {
  std::vector<std::unique_ptr<FactorVariant>> variants;
  for (const int64_t reduction : {2, 4}) {
    variants.push_back(std::make_unique<BottleneckVariant>(reduction));
  }
  return Applicable(std::move(variants), spectra.layer(), options.most_options);
}

}  // namespace fettle
