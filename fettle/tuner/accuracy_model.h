#pragma once

#include <string>
#include <vector>

namespace fettle {

// The additive model of accuracy, corrected by what was verified. Each change contributes what its
// proxy says times a weight of its decision; a candidate's drop in points of accuracy is the sum.
// The weights minimise
//     sum_points (measured - sum_d w_d x_d)^2 + strength * scale^2 sum_d (w_d - w)^2:
// ridge regression towards one weight w for all, the slope through the origin, where few points say
// little of a decision (Hoerl & Kennard 1970). The strength is that of least error when each point
// is predicted from the others.
class AccuracyModel {
 public:
  struct Sample {
    std::vector<double> contributions;  // of each decision, as the proxy has it
    double drop = 0;                    // measured, in points
  };

  // Of samples with equally many contributions. With fewer than two there is but the one weight,
  // and without any, or where no contribution differs from 0, no prediction.
  explicit AccuracyModel(const std::vector<Sample>& samples);

  bool is_known() const { return slope_ > 0; }

  // In points; asserts is_known().
  double Drop(const std::vector<double>& contributions) const;

  // How many times as much a decision's changes cost as the average one's by the proxy; never below
  // 0. All 1 where nothing is known. Asserts the index is in range of the samples' contributions.
  double RelativeWeight(size_t decision) const;

 private:
  double slope_ = 0;
  std::vector<double> weights_;
};

}  // namespace fettle
