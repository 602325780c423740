#include <variant>

#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/matrix_shape.h"
#include "fettle/primitives/onednn_primitive.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

using Tag = dnnl::memory::format_tag;

// Batched matrices of rows x columns, each perhaps lying transposed.
dnnl::memory::desc MatricesDesc(DType dtype, const Shape& leading, int64_t rows, int64_t columns,
                                bool is_transposed) {
  TensorType type{dtype, leading};
  type.shape.push_back(rows);
  type.shape.push_back(columns);
  if (!is_transposed) return OnednnDesc(type, Layout::kPlain);
  return {type.shape, OnednnType(dtype), Tag::ba};  // of Gemm alone, which has no leading axes
}

// Gemm's c as a matrix.
TensorType AddendOf(const LayerSpec& spec) {
  TensorType addend = OperandTypes(spec)[2];
  addend.shape.insert(addend.shape.begin(), 2 - addend.shape.size(), 1);
  return addend;
}

bool HasAddend(const LayerSpec& spec) { return OperandTypes(spec).size() == 3; }

// Gemm and MatMul of activations, or of an activation and a constant.
class OnednnMatmul final : public OnednnPrimitive {
 public:
  std::string_view Name() const override { return "onednn.matmul"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (std::holds_alternative<InnerProduct>(spec.op)) {
      return Support::No("inner products are for onednn.inner_product");
    }
    if (Support support = MatrixShapeSupport(spec); !support) return support;
    if (Support support = OnednnTensorSupport(spec); !support) return support;
    if (NumOperatorInputs(spec) == 0) return Support::No("no operand is an activation");
    for (const TensorType& type : OperandTypes(spec)) {
      if (type.dtype != spec.output.dtype) return Support::No("operands of several types");
    }
    const auto* gemm = std::get_if<Gemm>(&spec.op);
    if (gemm != nullptr && HasAddend(spec) && gemm->beta != 1) {
      return Support::No(Text("beta=", gemm->beta, ": only 1 is supported"));
    }
    if (MatrixShapeOf(spec).leading.size() + 2 > 6) return Support::No("more than 6 axes");
    return Support::Yes();
  }

 protected:
  std::vector<OnednnForm> Forms(const LayerSpec& spec) const override {
    return {OnednnForm::Uniform(spec, Layout::kPlain)};
  }

  std::vector<dnnl::primitive_desc_base> Describe(const LayerSpec& spec, const OnednnForm&,
                                                  const dnnl::engine& engine) const override {
    const MatrixShape matrix = MatrixShapeOf(spec);
    const DType dtype = spec.output.dtype;
    const bool packs_b = NumOperatorInputs(spec) == 1;  // a constant, in any format
    Shape b_shape = matrix.b_leading;
    b_shape.push_back(matrix.inner);
    b_shape.push_back(matrix.columns);
    const dnnl::matmul::desc desc(
        MatricesDesc(dtype, matrix.a_leading, matrix.rows, matrix.inner, matrix.transpose_a),
        packs_b ? OnednnAnyDesc({dtype, b_shape}) : WeightForm(spec),
        MatricesDesc(dtype, matrix.leading, matrix.rows, matrix.columns, false));
    return AllOf(dnnl::matmul::primitive_desc(desc, Attributes(spec), engine,
                                              /*allow_empty=*/true));
  }

  OnednnArguments Arguments(const LayerSpec& spec) const override {
    OnednnArguments arguments;
    const int places[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, AddendPlace(spec)};
    for (size_t i = 0; i < OperandTypes(spec).size(); ++i) {
      if (i < NumOperatorInputs(spec)) {
        arguments.inputs.push_back(places[i]);
      } else {
        arguments.weights.push_back(places[i]);
        arguments.weight_forms.push_back(i == 1 ? WeightForm(spec)
                                                : OnednnDesc(AddendOf(spec), Layout::kPlain));
      }
    }
    return arguments;
  }

 private:
  static dnnl::memory::desc WeightForm(const LayerSpec& spec) {
    const MatrixShape matrix = MatrixShapeOf(spec);
    return MatricesDesc(spec.output.dtype, matrix.b_leading, matrix.inner, matrix.columns,
                        matrix.transpose_b);
  }

  // The addend follows the residual's sum, where there is one: sums are taken first of all only.
  static int AddendPlace(const LayerSpec& spec) {
    return DNNL_ARG_ATTR_MULTIPLE_POST_OP(spec.adds_residual ? 1 : 0) | DNNL_ARG_SRC_1;
  }

  static dnnl::primitive_attr Attributes(const LayerSpec& spec) {
    dnnl::primitive_attr attributes = OnednnAttributes();
    dnnl::post_ops operations;
    if (spec.adds_residual) operations.append_sum(1);
    if (HasAddend(spec)) {
      operations.append_binary(dnnl::algorithm::binary_add,
                               OnednnDesc(AddendOf(spec), Layout::kPlain));
    }
    AppendActivation(spec, &operations);
    attributes.set_post_ops(operations);
    const auto* gemm = std::get_if<Gemm>(&spec.op);
    if (gemm != nullptr && gemm->alpha != 1) attributes.set_output_scales(0, {gemm->alpha});
    return attributes;
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOnednnMatmul() { return std::make_unique<OnednnMatmul>(); }

}  // namespace fettle
