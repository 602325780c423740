#include "fettle/network/variants/cp_components.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <utility>
#include <vector>

#include "fettle/network/linalg/decompositions.h"
#include "fettle/network/variants/cp_start.h"
#include "fettle/network/variants/higher_order.h"

namespace fettle {
namespace {

// Of the error, in a sweep; less ends the iteration.
constexpr double kWorthwhileGain = 1e-5;
// Of the kernel's energy; less is as good as none.
constexpr double kNoError = 1e-14;
// Random starts besides the good one, and after how many sweeps only the best goes on.
constexpr int kMoreStarts = 5, kSweepsOfARace = 25;

std::vector<double> ColumnEnergies(const Matrix& factor) {
  std::vector<double> energies(factor.columns());
  for (size_t i = 0; i < factor.rows(); ++i) {
    for (size_t r = 0; r < energies.size(); ++r) energies[r] += factor(i, r) * factor(i, r);
  }
  return energies;
}

void ScaleColumns(const std::vector<double>& scales, Matrix* factor) {
  for (size_t i = 0; i < factor->rows(); ++i) {
    for (size_t r = 0; r < scales.size(); ++r) (*factor)(i, r) *= scales[r];
  }
}

std::array<Matrix*, 4> FactorsOf(CpComponents* components) {
  return {&components->inputs, &components->rows, &components->columns, &components->outputs};
}

// All columns of length 1 but those of factor `free`, which take the lengths.
void Normalise(size_t free, CpComponents* components) {
  const auto factors = FactorsOf(components);
  std::vector<double> lengths(components->rank(), 1.0);
  for (size_t n = 0; n < factors.size(); ++n) {
    if (n == free) continue;
    std::vector<double> scales = ColumnEnergies(*factors[n]);
    for (size_t r = 0; r < scales.size(); ++r) {
      const double length = std::sqrt(scales[r]);
      lengths[r] *= length;
      scales[r] = length > 0 ? 1 / length : 0;
    }
    ScaleColumns(scales, factors[n]);
  }
  ScaleColumns(lengths, factors[free]);
}

// [S*Dh*Dw, R]: the products of the first three factors' columns.
Matrix ColumnProducts(const CpComponents& c) {
  const size_t rank = c.rank();
  Matrix products(c.inputs.rows() * c.rows.rows() * c.columns.rows(), rank);
  size_t row = 0;
  for (size_t s = 0; s < c.inputs.rows(); ++s) {
    for (size_t i = 0; i < c.rows.rows(); ++i) {
      for (size_t j = 0; j < c.columns.rows(); ++j, ++row) {
        for (size_t r = 0; r < rank; ++r) {
          products(row, r) = c.inputs(s, r) * c.rows(i, r) * c.columns(j, r);
        }
      }
    }
  }
  return products;
}

// What the equations of least squares for one factor A need: A gram = right.
struct Equations {
  Matrix gram;   // [R, R]
  Matrix right;  // [rows of A, R]
};

class CpFit {
 public:
  CpFit(const Matrix& kernel, CpComponents* components)
      : kernel_(kernel), c_(components), energy_(kernel.SquaredNorm()) {}

  // Factor 3 (outputs) must be asked for before the others once it has changed: their equations
  // share a product with it.
  Equations EquationsOf(size_t n) {
    Equations equations{Gram(n), {}};
    if (n == 3) {
      equations.right = Product(kernel_, ColumnProducts(*c_));
      return equations;
    }
    if (n == 0) by_outputs_ = TransposedProduct(kernel_, c_->outputs);
    const size_t rank = c_->rank();
    equations.right = Matrix(FactorsOf(c_)[n]->rows(), rank);
    size_t row = 0;
    for (size_t s = 0; s < c_->inputs.rows(); ++s) {
      for (size_t i = 0; i < c_->rows.rows(); ++i) {
        for (size_t j = 0; j < c_->columns.rows(); ++j, ++row) {
          const std::span<const double> from = by_outputs_.row(row);
          const std::span<double> to = equations.right.row(n == 0 ? s : n == 1 ? i : j);
          const std::span<const double> a = n == 0 ? c_->rows.row(i) : c_->inputs.row(s);
          const std::span<const double> b = n == 2 ? c_->rows.row(i) : c_->columns.row(j);
          for (size_t r = 0; r < rank; ++r) to[r] += from[r] * a[r] * b[r];
        }
      }
    }
    return equations;
  }

  // One sweep over the factors; their squared error afterwards.
  double Sweep() {
    double error = 0;
    for (size_t n = 0; n < 4; ++n) {
      Normalise(n, c_);
      const Equations equations = EquationsOf(n);
      Matrix& factor = *FactorsOf(c_)[n];
      factor = SolvePositive(equations.gram, equations.right.Transposed()).Transposed();
      if (n == 3) error = ErrorOf(equations);
    }
    return error;
  }

  // Sweeps while it helps; the squared error.
  double Iterate(int sweeps) {
    double error = Sweep();
    for (int sweep = 1; sweep < sweeps && error > kNoError * energy_; ++sweep) {
      const double before = std::exchange(error, Sweep());
      if (before - error < kWorthwhileGain * error) break;
    }
    return error;
  }

  // Brings down the norm of each factor in turn, the others of length 1.
  void Correct() {
    Normalise(3, c_);
    const double allowed = std::max(ErrorOf(EquationsOf(3)), kNoError * energy_);
    for (size_t n = 0; n < 4; ++n) {
      Normalise(n, c_);
      *FactorsOf(c_)[n] = LeastNorm(EquationsOf(n), allowed, *FactorsOf(c_)[n]);
    }
    Normalise(3, c_);
  }

 private:
  Matrix Gram(size_t without) const {
    const auto factors = FactorsOf(c_);
    Matrix gram(c_->rank(), c_->rank());
    std::ranges::fill(gram.values(), 1.0);
    for (size_t n = 0; n < factors.size(); ++n) {
      if (n == without) continue;
      const Matrix of_factor = TransposedProduct(*factors[n], *factors[n]);
      for (size_t k = 0; k < gram.values().size(); ++k) gram.values()[k] *= of_factor.values()[k];
    }
    return gram;
  }

  // Of the outputs as they are, for their equations.
  double ErrorOf(const Equations& equations) const {
    const Matrix product = Product(c_->outputs, equations.gram);
    double error = energy_;
    for (size_t k = 0; k < product.values().size(); ++k) {
      error += c_->outputs.values()[k] * (product.values()[k] - 2 * equations.right.values()[k]);
    }
    return std::max(0.0, error);
  }

  // A = right (gram + multiplier)^-1 of the greatest multiplier whose error is allowed; `now` where
  // rounding leaves none.
  Matrix LeastNorm(const Equations& equations, double allowed, const Matrix& now) const {
    const EigenDecomposition eigen = SymmetricEigen(equations.gram);
    Matrix rotated = Product(equations.right, eigen.vectors);
    const std::vector<double> seen = ColumnEnergies(rotated);
    const double least = 1e-13 * eigen.values[0];
    const auto error = [&](double multiplier) {
      double sum = energy_;
      for (size_t r = 0; r < seen.size(); ++r) {
        const double value = std::max(eigen.values[r], least), inverse = 1 / (value + multiplier);
        sum -= seen[r] * inverse * (2 - value * inverse);
      }
      return sum;
    };
    double low = least, high = eigen.values[0];
    if (!(low > 0) || error(low) > allowed) return now;
    for (int step = 0; step < 60; ++step) {
      const double middle = std::sqrt(low * high);
      (error(middle) > allowed ? high : low) = middle;
    }
    std::vector<double> scales(seen.size());
    for (size_t r = 0; r < scales.size(); ++r) {
      scales[r] = 1 / (std::max(eigen.values[r], least) + low);
    }
    ScaleColumns(scales, &rotated);
    return ProductWithTransposed(rotated, eigen.vectors);
  }

  const Matrix& kernel_;
  CpComponents* c_;
  double energy_;
  Matrix by_outputs_;  // [S*Dh*Dw, R]: K^T outputs
};

double MultiplicationsASweep(const Matrix& kernel, size_t rank) {
  const auto r = static_cast<double>(rank);
  return r * (2 * static_cast<double>(kernel.values().size()) + r * r +
              2 * r * static_cast<double>(kernel.rows()));
}

int AffordableSweeps(const Matrix& kernel, size_t rank, const CpLimits& limits) {
  return static_cast<int>(std::clamp(limits.multiplications / MultiplicationsASweep(kernel, rank),
                                     1.0, static_cast<double>(limits.sweeps)));
}

// On the kernel itself.
CpComponents ComponentsOf(const Matrix& kernel, size_t height, size_t width, size_t rank,
                          const CpLimits& limits) {
  const int sweeps = AffordableSweeps(kernel, rank, limits);
  CpComponents best = OrthogonalStart(kernel, height, width, rank, limits.seed);
  const bool is_small = sweeps == limits.sweeps;
  double least = CpFit(kernel, &best).Iterate(is_small ? kSweepsOfARace : sweeps);
  if (!is_small) return best;
  for (int start = 1; start <= kMoreStarts && least > kNoError * kernel.SquaredNorm(); ++start) {
    CpComponents other = RandomComponents(best.inputs.rows(), height, width, kernel.rows(), rank,
                                          limits.seed + static_cast<uint64_t>(start));
    const double error = CpFit(kernel, &other).Iterate(kSweepsOfARace);
    if (error < least) {
      least = error;
      best = std::move(other);
    }
  }
  if (least > kNoError * kernel.SquaredNorm()) CpFit(kernel, &best).Iterate(sweeps);
  return best;
}

}  // namespace

Matrix CpComponents::Kernel() const {
  return ProductWithTransposed(outputs, ColumnProducts(*this));
}

double CpComponents::ComponentEnergy() const {
  const std::vector<double> of_inputs = ColumnEnergies(inputs), of_rows = ColumnEnergies(rows),
                            of_columns = ColumnEnergies(columns),
                            of_outputs = ColumnEnergies(outputs);
  double sum = 0;
  for (size_t r = 0; r < rank(); ++r) {
    sum += of_inputs[r] * of_rows[r] * of_columns[r] * of_outputs[r];
  }
  return sum;
}

void CpComponents::Balance() {
  Normalise(3, this);
  std::vector<double> scales = ColumnEnergies(outputs);
  for (double& scale : scales) scale = std::pow(scale, 1.0 / 8);
  for (Matrix* factor : {&inputs, &rows, &columns}) ScaleColumns(scales, factor);
  for (double& scale : scales) scale = scale > 0 ? std::pow(scale, -3.0) : 0;
  ScaleColumns(scales, &outputs);
}

void LowerComponentEnergy(const Matrix& kernel, int sweeps, CpComponents* components) {
  CpFit fit(kernel, components);
  double energy = components->ComponentEnergy();
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    fit.Correct();
    const double before = std::exchange(energy, components->ComponentEnergy());
    if (before - energy < 1e-2 * before) return;
  }
}

CpComponents BestComponents(const Matrix& kernel, size_t height, size_t width, size_t rank,
                            const CpLimits& limits) {
  const size_t taps = height * width;
  const size_t r3 = std::min(rank, kernel.columns() / taps), r4 = std::min(rank, kernel.rows());
  const bool is_compressed = AffordableSweeps(kernel, rank, limits) < limits.sweeps &&
                             2 * r3 * r4 <= kernel.values().size() / taps;
  CpComponents c;
  if (is_compressed) {
    const ChannelBases bases = BestChannelBases(kernel, taps, r3, r4, 0);
    c = ComponentsOf(CoreOf(kernel, taps, bases), height, width, rank, limits);
    c.inputs = Product(bases.inputs, c.inputs);
    c.outputs = Product(bases.outputs, c.outputs);
  } else {
    c = ComponentsOf(kernel, height, width, rank, limits);
  }
  // Once more on the whole kernel, from components that do not cancel.
  const auto sweeps = static_cast<int>(
      std::clamp(0.25 * limits.multiplications / MultiplicationsASweep(kernel, rank), 1.0, 20.0));
  const auto correct = [&] {
    if (c.ComponentEnergy() > kMostComponentEnergy * kernel.SquaredNorm()) {
      LowerComponentEnergy(kernel, std::max(1, sweeps / 2), &c);
    }
  };
  correct();
  CpFit(kernel, &c).Iterate(sweeps);
  correct();
  c.Balance();
  return c;
}

}  // namespace fettle
