#include "fettle/primitives/onednn_primitive.h"

#include <algorithm>
#include <string_view>

#include "fettle/core/threads.h"
#include "fettle/primitives/onednn_kernel.h"

namespace fettle {
namespace {

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// oneDNN asks the processor; a target may be less than that. Names without an extension take what
// there is. The kernels for SSE4.1 are those for AVX2 at half the width, and so of use only where
// there is no AVX2.
bool MayRunOn(std::string_view name, const Target& target) {
  if (Contains(name, "avx512")) return target.has_avx512;
  if (Contains(name, "avx2")) return target.has_avx2;
  return !Contains(name, "sse41") || !target.has_avx2;
}

bool IsReference(std::string_view name) { return Contains(name, "ref"); }

// What oneDNN says to a form: nothing where it does not know it.
template <typename Ask>
std::vector<dnnl::primitive_desc_base> Answer(const Ask& ask) {
  try {
    return ask();
  } catch (const dnnl::error& fault) {
    if (fault.status == dnnl_unimplemented) return {};
    throw;
  }
}

}  // namespace

OnednnForm OnednnForm::Uniform(const LayerSpec& spec, Layout layout) {
  OnednnForm form{std::vector<Layout>(spec.inputs.size(), layout), layout, "", std::nullopt};
  if (spec.adds_residual) form.in_place_input = spec.inputs.size() - 1;
  return form;
}

std::vector<OnednnForm> OnednnForm::Uniform(const LayerSpec& spec,
                                            const std::vector<Layout>& layouts) {
  std::vector<OnednnForm> forms;
  for (Layout layout : layouts) forms.push_back(Uniform(spec, layout));
  return forms;
}

std::string OnednnPrimitive::FullName(const OnednnForm& form,
                                      const dnnl::primitive_desc_base& description) const {
  std::string name(Name());
  if (!OffersChoice()) return name;
  if (!form.algorithm.empty()) name.append(":").append(form.algorithm);
  return name.append(":").append(description.impl_info_str());
}

std::vector<OnednnForm> OnednnPrimitive::Forms(const LayerSpec& spec) const {
  return OnednnForm::Uniform(spec, LayoutsOf(spec.output.shape));
}

std::vector<Implementation> OnednnPrimitive::Implementations(const LayerSpec& spec,
                                                             const Target& target) const {
  const ThreadScope threads(target.threads);  // some implementations are only for several, or one
  return CatchingOnednn(Name(), [&] {
    const dnnl::engine engine = OnednnEngine();
    std::vector<Implementation> all;
    for (const OnednnForm& form : Forms(spec)) {
      for (const auto& description : Answer([&] { return Describe(spec, form, engine); })) {
        const std::string_view name = description.impl_info_str();
        if (IsReference(name) || !MayRunOn(name, target) || !IsSound(spec, form, name)) continue;
        Implementation implementation{FullName(form, description), 1, form.inputs, form.output,
                                      form.in_place_input};
        if (std::find(all.begin(), all.end(), implementation) == all.end()) {
          all.push_back(std::move(implementation));
        }
      }
    }
    return all;
  });
}

std::unique_ptr<Kernel> OnednnPrimitive::Prepare(const LayerSpec& spec,
                                                 const Implementation& implementation,
                                                 const Target& target,
                                                 std::span<const Tensor* const> weights) const {
  const ThreadScope threads(target.threads);
  return CatchingOnednn(implementation.name, [&]() -> std::unique_ptr<Kernel> {
    const dnnl::engine engine = OnednnEngine();
    for (const OnednnForm& form : Forms(spec)) {
      if (form.inputs != implementation.inputs || form.output != implementation.output) continue;
      for (const auto& description : Answer([&] { return Describe(spec, form, engine); })) {
        if (FullName(form, description) != implementation.name) continue;
        return std::make_unique<OnednnKernel>(implementation.name, spec, description, engine,
                                              Arguments(spec), weights);
      }
    }
    throw Error(ErrorKind::kDevice,
                Text(implementation.name, ": oneDNN has no such implementation of ",
                     KeyOf(spec).text, " on this device"));
  });
}

}  // namespace fettle
