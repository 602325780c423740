#include "fettle/primitives/openblas_gemm.h"

#include <cblas.h>

#include <algorithm>
#include <limits>

#include "fettle/core/error.h"

namespace fettle {
namespace {

// The supports below have seen to it that it fits.
blasint Extent(int64_t extent) { return static_cast<blasint>(extent); }

CBLAS_TRANSPOSE TransposeOf(const GemmOperand& operand) {
  return operand.is_transposed ? CblasTrans : CblasNoTrans;
}

Support TensorSupport(const TensorType& type) {
  if (type.dtype != DType::kF32) {
    return Support::No(Text("type ", NameOf(type.dtype), ": only f32 is supported"));
  }
  if (ElementCount(type) > std::numeric_limits<blasint>::max()) {
    return Support::No(Text(TypeText(type), ": larger than OpenBLAS can count"));
  }
  return Support::Yes();
}

}  // namespace

void OpenblasGemm(const GemmCall& call, const GemmOperand& a, const GemmOperand& b, float* c,
                  int64_t c_stride) {
  cblas_sgemm(CblasRowMajor, TransposeOf(a), TransposeOf(b), Extent(call.rows),
              Extent(call.columns), Extent(call.inner), call.alpha, a.data, Extent(a.stride),
              b.data, Extent(b.stride), call.accumulates ? 1.0f : 0.0f, c, Extent(c_stride));
}

void OpenblasGemv(int64_t rows, int64_t columns, const float* a, const float* x, bool accumulates,
                  float* y) {
  // A beta of 0 multiplies in some versions, and keeps a NaN of the output's last use.
  if (!accumulates) std::fill_n(y, rows, 0.0f);
  cblas_sgemv(CblasRowMajor, CblasNoTrans, Extent(rows), Extent(columns), 1, a, Extent(columns), x,
              1, 1, y, 1);
}

Support OpenblasTensorSupport(const LayerSpec& spec) {
  for (const auto* types : {&spec.inputs, &spec.weights}) {
    for (const TensorType& type : *types) {
      if (Support support = TensorSupport(type); !support) return support;
    }
  }
  return TensorSupport(spec.output);
}

}  // namespace fettle
