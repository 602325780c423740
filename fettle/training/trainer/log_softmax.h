#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace fettle {

// log(softmax(logits / temperature)).
inline std::vector<double> LogSoftmax(std::span<const float> logits, double temperature) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> result;
  double sum = 0;
  for (const float logit : logits) {
    result.push_back((logit - largest) / temperature);
    sum += std::exp(result.back());
  }
  for (double& value : result) value -= std::log(sum);
  return result;
}

}  // namespace fettle
