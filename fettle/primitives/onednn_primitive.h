#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fettle/primitives/onednn_engine.h"

namespace fettle {

// One way of putting a layer to oneDNN, which may know several implementations for it.
struct OnednnForm {
  std::vector<Layout> inputs;  // of each of LayerSpec::inputs
  Layout output = Layout::kPlain;
  std::string algorithm;                 // where there is a choice: "winograd"
  std::optional<size_t> in_place_input;  // of Implementation

  // All activations in one layout; a residual may be where the output goes.
  static OnednnForm Uniform(const LayerSpec& spec, Layout layout);
  static std::vector<OnednnForm> Uniform(const LayerSpec& spec, const std::vector<Layout>& layouts);
};

// Which of oneDNN's arguments the tensors of a layer are.
struct OnednnArguments {
  std::vector<int> inputs;  // DNNL_ARG_... of each of LayerSpec::inputs but the residual
  std::vector<int> weights;
  std::vector<dnnl::memory::desc> weight_forms;  // how the weights lie as they are given
};

// A primitive of oneDNN's: names are "<Name()>:[<algorithm>:]<oneDNN's name of the
// implementation>", and only "<Name()>" where oneDNN offers no choice (reorder, concat, sum): what
// it then names depends on what its cache holds. Whatever it calls a reference implementation is
// left out: that is there to be right, not fast.
class OnednnPrimitive : public Primitive {
 public:
  std::vector<Implementation> Implementations(const LayerSpec& spec,
                                              const Target& target) const final;
  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const final;

 protected:
  // The forms worth asking about; no two with the same layouts and algorithm. Unless overridden
  // every layout that the output can have, in all tensors alike.
  virtual std::vector<OnednnForm> Forms(const LayerSpec& spec) const;

  // All implementations of a form, best first as oneDNN thinks. May throw dnnl::error.
  virtual std::vector<dnnl::primitive_desc_base> Describe(const LayerSpec& spec,
                                                          const OnednnForm& form,
                                                          const dnnl::engine& engine) const = 0;

  // Whether Describe may answer several.
  virtual bool OffersChoice() const { return true; }

  // No for the implementations that oneDNN offers and that are wrong.
  virtual bool IsSound(const LayerSpec&, const OnednnForm&, std::string_view /*name*/) const {
    return true;
  }

  virtual OnednnArguments Arguments(const LayerSpec& spec) const = 0;

 private:
  std::string FullName(const OnednnForm& form, const dnnl::primitive_desc_base& description) const;
};

// Every implementation that a description's iterator comes to.
template <typename Description>
std::vector<dnnl::primitive_desc_base> AllOf(Description description) {
  std::vector<dnnl::primitive_desc_base> all;
  if (description.get(true) == nullptr) return all;
  do {
    all.push_back(description);
  } while (description.next_impl());
  return all;
}

}  // namespace fettle
