#include "fettle/primitives/own_gemm.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

// Every inner product, with f32 or bf16 storage, on every CPU.
class OwnInnerProduct : public Primitive {
 public:
  std::string_view Name() const override { return "own.inner_product"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<InnerProduct>(spec.op)) return Support::No("not an inner product");
    if (spec.weights.empty()) return Support::No("weights that are no constants");
    if (NumOperatorInputs(spec) != 1) return Support::No("a bias that is no constant");
    return RequireOneFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    return {InLayout(Name(), spec, Layout::kPlain)};
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation&,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    const int64_t inner = spec.inputs[0].shape[1], columns = spec.output.shape[1];
    const std::vector<float> values = WidenedValues(*weights[0]);
    const PackedWeights packed = PackWeights(
        inner, columns, spec.weights[0].dtype, target,
        [&](int64_t k, int64_t n) { return values[static_cast<size_t>(n * inner + k)]; });
    std::vector<float> bias;
    if (weights.size() > 1) bias = WidenedValues(*weights[1]);
    bias.resize(static_cast<size_t>(columns), 0);
    const GemmPlan plan = PlanGemm(spec.output.shape[0], packed, target);
    return VisitFloat(spec.output.dtype, [&](auto type) {
      return VisitFloat(spec.weights[0].dtype, [&](auto weight_type) {
        return MakeKernel(
            [=](KernelInputs inputs, std::byte* output, std::byte* workspace) {
              Run<decltype(type), decltype(weight_type)>(spec, target, plan, packed, bias, inputs,
                                                         output, workspace);
            },
            plan.workspace_bytes, packed.data.size() + bias.size() * sizeof(float));
      });
    });
  }

 private:
  template <typename T, typename W>
  static void Run(const LayerSpec& spec, const Target& target, const GemmPlan& plan,
                  const PackedWeights& packed, const std::vector<float>& bias, KernelInputs inputs,
                  std::byte* output, std::byte* workspace) {
    const Epilogue<T> epilogue = EpilogueOf<T>(spec, inputs, output);
    const T* x = As<T>(inputs[0]);
    const auto make_row = [&](int64_t row, int64_t first, int64_t count, float* to) {
      WidenRow(x + row * packed.inner + first, count, to);
    };
    const auto finish = [&](int64_t row, int64_t column, int64_t count, float* values) {
      const float* add = bias.data() + column;
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) values[i] += add[i];
      epilogue.Store(values, count, row * packed.columns + column);
    };
    RunGemm<W>(target, plan, packed, workspace, make_row, finish);
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnInnerProduct() { return std::make_unique<OwnInnerProduct>(); }

}  // namespace fettle
