#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fettle/device/kernel_memory.h"
#include "fettle/primitives/primitive.h"

namespace fettle {

// What a fake kernel does beside computing the right result: called after it, with everything the
// kernel was given and the number of earlier runs.
struct FakeRun {
  std::span<const std::byte* const> inputs;
  std::byte* output;
  std::byte* workspace;
  size_t output_bytes;
  int earlier_runs;
};
using Misbehaviour = std::function<void(const FakeRun& run)>;

// Offers one implementation for each misbehaviour, named "fake:NAME"; computes with the reference.
class FakePrimitive : public Primitive {
 public:
  struct Way {
    std::string name;
    Misbehaviour misbehaviour;
    Layout layout = Layout::kPlain;
    std::optional<size_t> in_place_input = std::nullopt;
  };

  FakePrimitive(const Primitive& reference, std::vector<Way> ways)
      : reference_(reference), ways_(std::move(ways)) {}

  std::string_view Name() const override { return "fake"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (std::holds_alternative<Softmax>(spec.op)) return Support::No("softmax is not faked");
    return Support::Yes();
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    std::vector<Implementation> all;
    for (const Way& way : ways_) {
      all.push_back({"fake:" + way.name, 3, std::vector<Layout>(spec.inputs.size(), way.layout),
                     way.layout, way.in_place_input});
    }
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override;

 private:
  const Primitive& reference_;
  std::vector<Way> ways_;
};

class FakeKernel : public Kernel {
 public:
  FakeKernel(LayerSpec spec, Layout layout, std::unique_ptr<Kernel> kernel, Misbehaviour then)
      : spec_(std::move(spec)),
        layout_(layout),
        kernel_(std::move(kernel)),
        misbehaviour_(std::move(then)) {}

  size_t WorkspaceBytes() const override { return 128; }
  size_t WeightBytes() const override { return 77; }

  void Run(std::span<const std::byte* const> inputs, std::byte* output,
           std::byte* workspace) const override {
    std::vector<Tensor> plain;
    std::vector<const std::byte*> pointers;
    plain.reserve(inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      plain.push_back(Collect(spec_.inputs[i], layout_, inputs[i]));
      pointers.push_back(plain.back().bytes());
    }
    Tensor result(spec_.output);
    kernel_->Run(pointers, result.bytes(), nullptr);
    Arrange(result, layout_, output);
    const auto bytes = static_cast<size_t>(PhysicalBytes(spec_.output, layout_));
    if (misbehaviour_) misbehaviour_({inputs, output, workspace, bytes, runs_});
    ++runs_;
  }

 private:
  LayerSpec spec_;
  Layout layout_;
  std::unique_ptr<Kernel> kernel_;
  Misbehaviour misbehaviour_;
  mutable int runs_ = 0;
};

inline std::unique_ptr<Kernel> FakePrimitive::Prepare(
    const LayerSpec& spec, const Implementation& implementation, const Target& target,
    std::span<const Tensor* const> weights) const {
  const auto plain = reference_.Implementations(spec, target).front();
  for (const Way& way : ways_) {
    if (implementation.name != "fake:" + way.name) continue;
    if (way.name == "unpreparable") throw std::bad_alloc();
    return std::make_unique<FakeKernel>(
        spec, way.layout, reference_.Prepare(spec, plain, target, weights), way.misbehaviour);
  }
  return nullptr;
}

}  // namespace fettle
