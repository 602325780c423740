#pragma once

#include <map>
#include <string>
#include <vector>

#include "fettle/cost_models/layer_costs.h"
#include "fettle/cost_models/layer_features.h"

namespace fettle {

// Predicts the cost of a layer never measured from those that were: the time for a unit of work of
// the measured layers of its family, weighted by how near they are in the logarithms of their
// extents (Nadaraya-Watson regression). A family without measurements borrows those of its
// primitive; a primitive without any, a rate that is slow enough for nothing to be chosen for it
// unmeasured.
class LayerPredictor {
 public:
  void Add(const LayerSpec& spec, const Implementation& implementation, double ms);

  // Always kPredicted; the bounds follow from how much the neighbours differ and how far they are.
  Estimate Predict(const LayerSpec& spec, const Implementation& implementation) const;

  size_t num_measurements() const { return num_measurements_; }

 private:
  struct Point {
    std::array<double, 4> extents;
    double log_rate;  // of ms over work
  };
  using Points = std::vector<Point>;

  std::map<std::string, Points> families_, primitives_;
  size_t num_measurements_ = 0;
};

}  // namespace fettle
