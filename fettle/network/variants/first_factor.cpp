#include "fettle/network/variants/first_factor.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "fettle/network/linalg/decompositions.h"
#include "fettle/network/variants/least_squares.h"

namespace fettle {
namespace {

constexpr double kMostMultiplications = 6e10;
constexpr double kWorthwhileGain = 1e-4;

double Dot(const Matrix& a, const Matrix& b) {
  double sum = 0;
  for (size_t i = 0; i < a.values().size(); ++i) sum += a.values()[i] * b.values()[i];
  return sum;
}

void AddTimes(double scale, const Matrix& from, Matrix* to) {
  for (size_t i = 0; i < from.values().size(); ++i) to->values()[i] += scale * from.values()[i];
}

Matrix Inverse(const Matrix& a) {
  Matrix shifted = a;
  double mean = 0;
  for (size_t i = 0; i < a.rows(); ++i) mean += a(i, i) / static_cast<double>(a.rows());
  for (size_t i = 0; i < a.rows(); ++i) shifted(i, i) += 1e-4 * mean;
  return SolvePositive(shifted, Matrix::Identity(a.rows()));
}

// The first factor's weights V as an argument: which kernel the row comes to, and the transpose of
// that map.
class FirstAsVariable {
 public:
  FirstAsVariable(const std::vector<Factor>& factors, size_t inputs)
      : first_shape_(factors[0].shape),
        height_(static_cast<size_t>(first_shape_.window.kernel[0])),
        width_(static_cast<size_t>(first_shape_.window.kernel[1])),
        inputs_(inputs) {
    assert(first_shape_.groups == 1 && factors.size() > 1);
    const std::vector<Factor> behind(factors.begin() + 1, factors.end());
    int64_t height = 1, width = 1;
    for (const Factor& factor : behind) {
      height += factor.shape.window.kernel[0] - 1;
      width += factor.shape.window.kernel[1] - 1;
    }
    rest_.shape = PointwiseFactor(behind.back().shape.outputs, first_shape_.outputs);
    rest_.shape.window.kernel = {height, width};
    rest_.weights = ComposedKernel(behind);
    const auto taps = static_cast<size_t>(height * width);
    rest_height_ = static_cast<size_t>(height);
    rest_width_ = static_cast<size_t>(width);
    for (size_t tap = 0; tap < taps; ++tap) {
      Matrix& of_tap = taps_.emplace_back(rest_.weights.rows(), rest_.weights.columns() / taps);
      for (size_t t = 0; t < of_tap.rows(); ++t) {
        for (size_t r = 0; r < of_tap.columns(); ++r) {
          of_tap(t, r) = rest_.weights(t, r * taps + tap);
        }
      }
    }
  }

  Matrix Kernel(const Matrix& weights) const {
    return ComposedKernel(std::vector<Factor>{{first_shape_, weights}, rest_});
  }

  Matrix Transposed(const Matrix& kernel) const {
    Matrix sum(static_cast<size_t>(first_shape_.outputs), inputs_ * height_ * width_);
    for (size_t tap = 0; tap < taps_.size(); ++tap) {
      AddTimes(1, TransposedProduct(taps_[tap], Seen(kernel, tap)), &sum);
    }
    return sum;
  }

  // The mean of sum H_j^T H_j, and that of the covariance that the factor sees, inverted: what the
  // equations would be if different taps of the rest saw unrelated numbers.
  Matrix InverseOfRest() const {
    Matrix sum(taps_[0].columns(), taps_[0].columns());
    for (const Matrix& tap : taps_) AddTimes(1, TransposedProduct(tap, tap), &sum);
    return Inverse(sum);
  }
  Matrix InverseOfInputs(const Matrix& covariance) const {
    Matrix sum(inputs_ * height_ * width_, inputs_ * height_ * width_);
    for (size_t tap = 0; tap < taps_.size(); ++tap) {
      const std::vector<size_t> places = Places(tap);
      for (size_t p = 0; p < places.size(); ++p) {
        for (size_t q = 0; q < places.size(); ++q) sum(p, q) += covariance(places[p], places[q]);
      }
    }
    return Inverse(sum);
  }

 private:
  // Where in the layer's patch the factor's own lies behind that tap of the rest.
  std::vector<size_t> Places(size_t tap) const {
    const size_t i = tap / rest_width_, j = tap % rest_width_;
    const size_t height = height_ + rest_height_ - 1, width = width_ + rest_width_ - 1;
    std::vector<size_t> places;
    for (size_t s = 0; s < inputs_; ++s) {
      for (size_t k = 0; k < height_; ++k) {
        for (size_t l = 0; l < width_; ++l) {
          places.push_back((s * height + i + k) * width + j + l);
        }
      }
    }
    return places;
  }

  Matrix Seen(const Matrix& kernel, size_t tap) const {
    const std::vector<size_t> places = Places(tap);
    Matrix seen(kernel.rows(), places.size());
    for (size_t t = 0; t < kernel.rows(); ++t) {
      for (size_t p = 0; p < places.size(); ++p) seen(t, p) = kernel(t, places[p]);
    }
    return seen;
  }

  FactorShape first_shape_;
  size_t height_, width_, inputs_, rest_height_ = 1, rest_width_ = 1;
  Factor rest_;
  std::vector<Matrix> taps_;  // of the rest, each [T, R]
};

}  // namespace

void RefitFirst(const Matrix& kernel, const Moments& input, int steps,
                std::vector<Factor>* factors) {
  const FirstAsVariable variable(*factors, static_cast<size_t>(factors->front().shape.inputs));
  const Matrix covariance = CovarianceOf(input);
  const Matrix left = variable.InverseOfRest(), right = variable.InverseOfInputs(covariance);
  const auto preconditioned = [&](const Matrix& m) { return Product(Product(left, m), right); };

  Matrix& weights = factors->front().weights;
  Matrix residual = variable.Transposed(Product(kernel - variable.Kernel(weights), covariance));
  Matrix direction = preconditioned(residual);
  double size = Dot(residual, direction);
  for (int step = 0; step < steps && size > 0; ++step) {
    const Matrix change = variable.Kernel(direction);
    const Matrix seen = Product(change, covariance);
    const double curvature = Dot(change, seen);
    if (!(curvature > 0)) return;
    AddTimes(size / curvature, direction, &weights);
    AddTimes(-size / curvature, variable.Transposed(seen), &residual);
    Matrix next = preconditioned(residual);
    const double next_size = Dot(residual, next);
    AddTimes(next_size / size, direction, &next);
    direction = std::move(next);
    size = next_size;
  }
}

int StepsToAfford(const Matrix& kernel) {
  const auto rows = static_cast<double>(kernel.rows());
  const auto patch = static_cast<double>(kernel.columns());
  return static_cast<int>(std::clamp(kMostMultiplications / (rows * patch * patch), 1.0, 64.0));
}

void RefitInTurn(const Matrix& kernel, const Moments& input, std::vector<Factor>* factors,
                 const std::function<bool(const std::vector<Factor>&)>& may_take) {
  double error = RelativeError(kernel, ComposedKernel(*factors), &input);
  for (int left = StepsToAfford(kernel); left > 0; left -= kStepsARound) {
    std::vector<Factor> refitted = *factors;
    RefitFirst(kernel, input, std::min(left, kStepsARound), &refitted);
    RefitLast(kernel, input, &refitted);
    const double after = RelativeError(kernel, ComposedKernel(refitted), &input);
    if (!(after < error) || (may_take && !may_take(refitted))) return;
    *factors = std::move(refitted);
    if (error - after < kWorthwhileGain * error) return;
    error = after;
  }
}

void KeepBetter(const Matrix& kernel, const Moments& input, std::vector<Factor> other,
                std::vector<Factor>* factors) {
  RefitLast(kernel, input, &other);
  RefitLast(kernel, input, factors);
  const double error = RelativeError(kernel, ComposedKernel(*factors), &input);
  if (RelativeError(kernel, ComposedKernel(other), &input) < error) *factors = std::move(other);
}

}  // namespace fettle
