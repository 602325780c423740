#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "fettle/core/statistics.h"
#include "fettle/device/layer_data.h"
#include "fettle/device/prepared_layer.h"
#include "fettle/primitives/primitive_list.h"

namespace fettle {

// An implementation of a layer, ready to run, with the times that its runs took.
class LayerEntry {
 public:
  LayerEntry(const LayerSpec& spec, const Primitive& primitive, Implementation implementation,
             const Target& target, const std::vector<const Tensor*>& weights,
             ArrangedInputs& inputs)
      : implementation_(std::move(implementation)) {
    const Clock::time_point start = Clock::now();
    std::unique_ptr<Kernel> kernel = primitive.Prepare(spec, implementation_, target, weights);
    prepare_ms_ = MillisecondsSince(start);
    weight_bytes_ = static_cast<double>(kernel->WeightBytes());
    workspace_bytes_ = static_cast<double>(kernel->WorkspaceBytes());
    layer_.emplace(spec, implementation_, std::move(kernel), inputs);
  }
  LayerEntry(const LayerEntry&) = delete;
  LayerEntry& operator=(const LayerEntry&) = delete;

  void CompareWith(const Tensor& expected) { verdict_ = layer_->Validate(expected); }
  Tensor Output() {
    layer_->Run();
    return layer_->Output();
  }

  void Run() {
    const Clock::time_point start = Clock::now();
    layer_->Run();
    samples_ms_.push_back(MillisecondsSince(start));
  }
  void Forget() { samples_ms_.clear(); }

  const Implementation& implementation() const { return implementation_; }
  const std::vector<double>& samples_ms() const { return samples_ms_; }  // a run each
  double MedianMs() const { return Median(samples_ms_); }
  // By the largest difference from the FP64 reference, relative to that one's largest magnitude.
  const Verdict& verdict() const { return verdict_; }
  double prepare_ms() const { return prepare_ms_; }
  double weight_bytes() const { return weight_bytes_; }
  double workspace_bytes() const { return workspace_bytes_; }

 private:
  using Clock = std::chrono::steady_clock;

  static double MillisecondsSince(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }

  Implementation implementation_;
  double prepare_ms_ = 0, weight_bytes_ = 0, workspace_bytes_ = 0;
  std::optional<PreparedLayer> layer_;
  Verdict verdict_;
  std::vector<double> samples_ms_;
};

// All that compute a layer and whose names begin with `only`, compared with the reference, which
// is left out.
class LayerEntries {
 public:
  // The list outlives it. Throws Error (kBadInput) where there are none, or no reference.
  LayerEntries(const LayerSpec& spec, const Target& target, const PrimitiveList& list,
               std::string_view only)
      : data_(MakeLayerData(spec, 1)), inputs_(data_.inputs) {
    for (const Tensor& weight : data_.weights) weights_.push_back(&weight);
    for (const auto& primitive : list.primitives()) {
      if (primitive.get() == &list.reference()) continue;
      Add(spec, target, *primitive, only);
    }
    if (entries_.empty()) throw BadInput("nothing is for this layer:\n", refusals_);
    const Tensor expected = Expected(spec, target, list.reference());
    for (const auto& entry : entries_) entry->CompareWith(expected);
  }

  // In another order each round, until `seconds` are over: every entry has one more sample a round.
  static void RunInTurns(std::vector<LayerEntry*> entries, double seconds) {
    Random random(2);
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    do {
      random.Shuffle(&entries);
      for (LayerEntry* entry : entries) entry->Run();
    } while (std::chrono::steady_clock::now() < end);
  }

  std::vector<LayerEntry*> all() const {
    std::vector<LayerEntry*> all;
    for (const auto& entry : entries_) all.push_back(entry.get());
    return all;
  }
  const std::string& refusals() const { return refusals_; }  // a line each, why not

 private:
  void Add(const LayerSpec& spec, const Target& target, const Primitive& primitive,
           std::string_view only) {
    if (const Support support = primitive.Supports(spec, target); !support) {
      refusals_ += Text(primitive.Name(), ": ", support.reason, "\n");
      return;
    }
    for (const Implementation& implementation : primitive.Implementations(spec, target)) {
      if (!implementation.name.starts_with(only)) continue;
      entries_.push_back(
          std::make_unique<LayerEntry>(spec, primitive, implementation, target, weights_, inputs_));
    }
  }

  // What the reference computes in FP64, rounded once.
  Tensor Expected(const LayerSpec& spec, const Target& target, const Primitive& reference) {
    const Support support = reference.Supports(spec, target);
    if (!support) throw BadInput("the reference refuses the layer: ", support.reason);
    const Implementation plain = reference.Implementations(spec, target).front();
    return LayerEntry(spec, reference, plain, target, weights_, inputs_).Output();
  }

  const LayerData data_;
  std::vector<const Tensor*> weights_;
  ArrangedInputs inputs_;
  std::vector<std::unique_ptr<LayerEntry>> entries_;
  std::string refusals_;
};

}  // namespace fettle
