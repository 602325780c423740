#include <algorithm>
#include <cassert>
#include <variant>

#include "fettle/primitives/epilogue_pass.h"
#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/matrix_shape.h"
#include "fettle/primitives/openblas_gemm.h"
#include "fettle/primitives/primitive_families.h"
#include "fettle/primitives/reference_broadcast.h"

namespace fettle {
namespace {

// Which of an operand's matrices stands at each place of the leading axes.
std::vector<int64_t> PlacesOf(const Shape& operand_leading, const Shape& leading) {
  const BroadcastOffsets offset_of(operand_leading, leading);
  std::vector<int64_t> places(static_cast<size_t>(ElementCount(leading)));
  for (size_t i = 0; i < places.size(); ++i) places[i] = offset_of(static_cast<int64_t>(i));
  return places;
}

class MatmulKernel final : public Kernel {
 public:
  MatmulKernel(const LayerSpec& spec, bool uses_gemv, const Target& target,
               std::span<const Tensor* const> weights)
      : matrix_(MatrixShapeOf(spec)),
        uses_gemv_(uses_gemv),
        adds_residual_(spec.adds_residual),
        num_inputs_(NumOperatorInputs(spec)),
        a_places_(PlacesOf(matrix_.a_leading, matrix_.leading)),
        b_places_(PlacesOf(matrix_.b_leading, matrix_.leading)),
        epilogue_(target, spec.activation) {
    for (const Tensor* weight : weights) weights_.push_back(*weight);
    if (const auto* gemm = std::get_if<Gemm>(&spec.op)) {
      alpha_ = gemm->alpha;
      beta_ = gemm->beta;
    }
    const std::vector<TensorType> operands = OperandTypes(spec);
    if (operands.size() > 2) SetAddend(operands[2].shape);
    // One matrix b for many a that follow one another is one product.
    if (ElementCount(matrix_.b_leading) == 1 && matrix_.a_leading == matrix_.leading &&
        !matrix_.transpose_a) {
      matrix_.rows *= matrix_.count();
      a_places_ = b_places_ = {0};
    }
  }

  size_t WeightBytes() const override {
    size_t bytes = 0;
    for (const Tensor& weight : weights_) bytes += weight.num_bytes();
    return bytes;
  }

  void Run(std::span<const std::byte* const> inputs, std::byte* output,
           std::byte* /*workspace*/) const override {
    auto* y = reinterpret_cast<float*>(output);
    const int64_t size = matrix_.rows * matrix_.columns;
    const int64_t total = static_cast<int64_t>(a_places_.size()) * size;
    if (adds_residual_ && inputs.back() != output) {
      std::copy_n(reinterpret_cast<const float*>(inputs.back()), total, y);
    }
    if (has_addend_) AddAddend(Operand(inputs, 2), y);
    for (size_t i = 0; i < a_places_.size(); ++i) {
      Multiply(Operand(inputs, 0) + a_places_[i] * matrix_.rows * matrix_.inner,
               Operand(inputs, 1) + b_places_[i] * matrix_.inner * matrix_.columns,
               y + static_cast<int64_t>(i) * size);
    }
    epilogue_.ApplyToRows(y, total / matrix_.columns, matrix_.columns, nullptr);
  }

 private:
  // c as a matrix that may be broadcast; InnerProduct's bias is a row.
  void SetAddend(const Shape& shape) {
    has_addend_ = true;
    addend_columns_ = shape.empty() ? 1 : shape.back();
    addend_rows_ = shape.size() < 2 ? 1 : shape[0];
  }

  const float* Operand(std::span<const std::byte* const> inputs, size_t index) const {
    const std::byte* data =
        index < num_inputs_ ? inputs[index] : weights_[index - num_inputs_].bytes();
    return reinterpret_cast<const float*>(data);
  }

  void AddAddend(const float* c, float* y) const {
    for (int64_t i = 0; i < matrix_.rows; ++i) {
      const float* row = c + (addend_rows_ == 1 ? 0 : i * addend_columns_);
      for (int64_t j = 0; j < matrix_.columns; ++j, ++y) {
        const float value = beta_ * row[addend_columns_ == 1 ? 0 : j];
        *y = adds_residual_ ? *y + value : value;
      }
    }
  }

  void Multiply(const float* a, const float* b, float* y) const {
    const bool accumulates = adds_residual_ || has_addend_;
    if (uses_gemv_) return OpenblasGemv(matrix_.columns, matrix_.inner, b, a, accumulates, y);
    OpenblasGemm({matrix_.rows, matrix_.columns, matrix_.inner, alpha_, accumulates},
                 {a, matrix_.transpose_a ? matrix_.rows : matrix_.inner, matrix_.transpose_a},
                 {b, matrix_.transpose_b ? matrix_.inner : matrix_.columns, matrix_.transpose_b}, y,
                 matrix_.columns);
  }

  MatrixShape matrix_;
  bool uses_gemv_, adds_residual_, has_addend_ = false;
  size_t num_inputs_;
  std::vector<int64_t> a_places_, b_places_;
  EpiloguePass epilogue_;
  float alpha_ = 1, beta_ = 1;
  int64_t addend_rows_ = 1, addend_columns_ = 1;
  std::vector<Tensor> weights_;
};

Support MatmulSupport(const LayerSpec& spec) {
  if (Support support = MatrixShapeSupport(spec); !support) return support;
  return OpenblasTensorSupport(spec);
}

Implementation PlainImplementation(std::string name, const LayerSpec& spec) {
  std::optional<size_t> residual;
  if (spec.adds_residual) residual = spec.inputs.size() - 1;
  return {std::move(name), 1, std::vector<Layout>(spec.inputs.size(), Layout::kPlain),
          Layout::kPlain, residual};
}

// Gemm and MatMul, as many products as there are matrices.
class OpenblasMatmul final : public Primitive {
 public:
  std::string_view Name() const override { return "openblas.matmul"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (std::holds_alternative<InnerProduct>(spec.op)) {
      return Support::No("inner products are for openblas.inner_product");
    }
    return MatmulSupport(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    return {PlainImplementation(std::string(Name()), spec)};
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation&,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    return std::make_unique<MatmulKernel>(spec, /*uses_gemv=*/false, target, weights);
  }
};

// As a product of matrices and, of a single row, of a matrix and a vector.
class OpenblasInnerProduct final : public Primitive {
 public:
  std::string_view Name() const override { return "openblas.inner_product"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<InnerProduct>(spec.op)) {
      return Support::No("neither gemm nor matmul are for openblas.inner_product");
    }
    return MatmulSupport(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    std::vector<Implementation> all = {PlainImplementation(std::string(Name()) + ":gemm", spec)};
    if (spec.output.shape[0] == 1) all.push_back(PlainImplementation(kGemv, spec));
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    return std::make_unique<MatmulKernel>(spec, implementation.name == kGemv, target, weights);
  }

 private:
  static constexpr const char* kGemv = "openblas.inner_product:gemv";
};

}  // namespace

std::unique_ptr<Primitive> MakeOpenblasMatmul() { return std::make_unique<OpenblasMatmul>(); }
std::unique_ptr<Primitive> MakeOpenblasInnerProduct() {
  return std::make_unique<OpenblasInnerProduct>();
}

}  // namespace fettle
