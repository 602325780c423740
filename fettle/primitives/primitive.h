#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/layer_spec.h"
#include "fettle/core/layout.h"
#include "fettle/core/target.h"
#include "fettle/core/tensor.h"

namespace fettle {

// Yes, or why not in words (without a final stop): "groups=4: only 1 is supported".
struct Support {
  bool is_supported = true;
  std::string reason;

  static Support Yes() { return {}; }
  static Support No(std::string reason) { return {false, std::move(reason)}; }
  explicit operator bool() const { return is_supported; }
};

// One way in which a primitive can compute a layer: cheap to describe, compare and store.
struct Implementation {
  std::string name;  // "onednn.conv:jit:avx2": the primitive's name, a colon, what it needs to say
  int version = 1;   // changes when the kernel does, and measurements of it with it
  std::vector<Layout> inputs;  // the layout of each of LayerSpec::inputs
  Layout output = Layout::kPlain;
  // The input whose memory the output may be, for the caller to save a tensor (and, for a residual,
  // the kernel a copy). The kernel is right whether or not they are the same.
  std::optional<size_t> in_place_input;

  friend bool operator==(const Implementation&, const Implementation&) = default;
};

// A layer ready to run: weights packed, code generated. Owns everything but activations and
// workspace. Const and safe to run from one thread at a time.
class Kernel {
 public:
  virtual ~Kernel() = default;

  // Scratch memory that Run needs; it holds nothing between runs.
  virtual size_t WorkspaceBytes() const { return 0; }

  // Memory the kernel holds for its weights, as executed.
  virtual size_t WeightBytes() const { return 0; }

  // Buffers are aligned to 64 bytes, PhysicalBytes() long in the implementation's layouts, with
  // zeros in the padding channels of blocked layouts (an output's padding must be written as
  // zeros). `output` may be inputs[*in_place_input] and overlaps nothing else.
  virtual void Run(std::span<const std::byte* const> inputs, std::byte* output,
                   std::byte* workspace) const = 0;
};

// A way to compute layers of some kind. Stateless; one object of each stands in the list of
// primitive_list.h.
class Primitive {
 public:
  virtual ~Primitive() = default;

  // The stable name the database keeps: "onednn.conv", "openblas.im2col_conv", "own.concat".
  virtual std::string_view Name() const = 0;

  // Looks at the spec alone; cheap.
  virtual Support Supports(const LayerSpec& spec, const Target& target) const = 0;

  // Every way in which it can compute a supported spec; at least one, or none where the library
  // behind it declines after all. May cost a few milliseconds.
  virtual std::vector<Implementation> Implementations(const LayerSpec& spec,
                                                      const Target& target) const = 0;

  // `implementation` is one of Implementations(spec, target); `weights` have the types of
  // spec.weights and are not read after the return. Call it, and the kernel, with
  // ThreadScope(target.threads) in force (threads.h). Throws Error of kind kDevice where the
  // library fails.
  virtual std::unique_ptr<Kernel> Prepare(const LayerSpec& spec,
                                          const Implementation& implementation,
                                          const Target& target,
                                          std::span<const Tensor* const> weights) const = 0;
};

}  // namespace fettle
