#include "fettle/primitives/own_grouped_pointwise.h"

#include <algorithm>
#include <cassert>
#include <vector>

#include "fettle/primitives/conv_shape.h"
#include "fettle/primitives/own_epilogue.h"
#include "fettle/primitives/own_layer_kernel.h"
#include "fettle/primitives/own_parallel.h"

// Blocks of some outputs by some vectors of pixels are summed in registers: an input vector is
// loaded once for all outputs of the block, a weight once, for all lanes, for its pixels. A last
// block begins earlier rather than be short: what is computed twice is written twice, by one
// thread.
//
// Inputs in bf16 are widened as they are loaded, or (`:dots`) taken in pairs of rows for the dot
// products of AVX-512 BF16, twice the products at the price of interleaving the two rows, once for
// all outputs of a block.
//
// It wins where a group's outputs fill no vectors of channels and there are many pixels: ShuffleNet
// g4 on one core of an Emerald Rapids, against the best of oneDNN 2.6.3, which is channels last:
// 272 > 68 channels at 28x28 1.8 times as fast, 68 > 272 1.3, 544 > 136 at 14x14 1.25 (least of the
// rounds). It loses where the inputs of a group are few and the pixels too, so that the end of a
// block costs as much as its sums (136 > 544 at 14x14: 0.8; 1088 > 272 at 7x7: 0.65).

namespace fettle {
namespace {

// Outputs of a block and vectors of pixels: 24 sums of 32 registers, 12 of 16.
constexpr int kMostOutputs = 6;
template <int kLanes>
constexpr int kMostVectors = kLanes == 16 ? 4 : 2;

// Of one group and image: x[inputs][pixels] to y[outputs][pixels]. A word is an input of a pixel,
// or those of two rows behind one another (own_dot.h).
struct PointwiseGroup {
  int64_t words, outputs, pixels;
  const float* weights;  // [block of outputs][word][output]
  const float* bias;     // [output][lane]
};

// The words of `lanes` pixels; kIsFull: of kLanes.
template <int kLanes, bool kIsFull, typename Products, typename T>
inline void LoadPixels(const T* from, int64_t row, int64_t lanes, Vector<kLanes>* to) {
  if constexpr (Products::kStep == 1) {
    if constexpr (kIsFull) return Products::template Load<kLanes>(from, to);
    LoadLanes<kLanes, Products>(from, lanes, to);
  } else {
    if (kIsFull || lanes == kLanes)
      return Products::template LoadPairs<kLanes>(from, from + row, to);
    T rows[2][kLanes] = {};
    CopyLanes<kLanes>(from, lanes, rows[0]);
    CopyLanes<kLanes>(from + row, lanes, rows[1]);
    Products::template LoadPairs<kLanes>(rows[0], rows[1], to);
  }
}

// kOutputs rows by kVectors vectors from `pixel` on; `lanes` of a vector, where it is only one.
template <int kLanes, int kOutputs, int kVectors, typename Products, typename T>
inline void MultiplyBlock(const PointwiseGroup& group, const T* x, const float* weights,
                          const float* bias, int64_t offset, int64_t pixel, int64_t lanes,
                          const VectorEpilogue<T>& epilogue) {
  Vector<kLanes> sums[kOutputs * kVectors];
#pragma GCC unroll 32
  for (int i = 0; i < kOutputs * kVectors; ++i) {
    LoadVector<kLanes>(bias + int64_t{i / kVectors} * kLanes, &sums[i]);
  }
  const T* from = x + pixel;
  const int64_t row = group.pixels;
  for (int64_t k = 0; k < group.words; ++k, from += Products::kStep * row, weights += kOutputs) {
    Vector<kLanes> inputs[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      LoadPixels<kLanes, (kVectors > 1), Products>(from + int64_t{v} * kLanes, row, lanes,
                                                   &inputs[v]);
    }
#pragma GCC unroll 8
    for (int o = 0; o < kOutputs; ++o) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        Products::template AddBroadcast<kLanes>(weights + o, inputs[v], &sums[o * kVectors + v]);
      }
    }
  }
#pragma GCC unroll 8
  for (int o = 0; o < kOutputs; ++o) {
    const OutputStrip strip{offset + o * group.pixels + pixel, kLanes, kVectors, lanes};
    FinishVectors<kLanes, kVectors, Products>(epilogue, strip, sums + int64_t{o} * kVectors);
  }
}

// All outputs of the pixels of a block.
template <int kLanes, int kOutputs, int kVectors, typename Products, typename T>
inline void MultiplyPixels(const PointwiseGroup& group, const T* x, int64_t offset, int64_t pixel,
                           int64_t lanes, const VectorEpilogue<T>& epilogue) {
  const float* weights = group.weights;
  for (int64_t next = 0; next < group.outputs; next += kOutputs) {
    const int64_t output = std::min(next, group.outputs - kOutputs);
    MultiplyBlock<kLanes, kOutputs, kVectors, Products>(
        group, x, weights, group.bias + output * kLanes, offset + output * group.pixels, pixel,
        lanes, epilogue);
    weights += kOutputs * group.words;
  }
}

// The pixels [begin, end), which are all or more than a block's.
template <int kLanes, int kOutputs, typename Products, typename T>
inline void MultiplyRange(const PointwiseGroup& group, const T* x, int64_t offset, int64_t begin,
                          int64_t end, const VectorEpilogue<T>& epilogue) {
  constexpr int kVectors = kMostVectors<kLanes>, kFew = kVectors / 2;
  constexpr int64_t kMany = int64_t{kVectors} * kLanes, kSome = int64_t{kFew} * kLanes;
  for (int64_t pixel = begin; pixel < end;) {
    const int64_t left = (end - pixel + kLanes - 1) / kLanes;
    if (left >= kVectors && group.pixels >= kMany) {
      MultiplyPixels<kLanes, kOutputs, kVectors, Products>(
          group, x, offset, std::min(pixel, end - kMany), kLanes, epilogue);
      pixel += kMany;
    } else if (kFew > 1 && left >= kFew && group.pixels >= kSome) {
      MultiplyPixels<kLanes, kOutputs, kFew, Products>(
          group, x, offset, std::min(pixel, end - kSome), kLanes, epilogue);
      pixel += kSome;
    } else {
      const int64_t lanes = std::min<int64_t>(kLanes, group.pixels);
      MultiplyPixels<kLanes, kOutputs, 1, Products>(group, x, offset, std::min(pixel, end - lanes),
                                                    lanes, epilogue);
      pixel += kLanes;
    }
  }
}

template <typename Isa, typename T>
class GroupedPointwise {
 public:
  static constexpr int kLanes = Isa::kLanes;
  using Products = typename Isa::Products;

  GroupedPointwise(const LayerSpec& spec, const Target& target,
                   std::span<const Tensor* const> weights)
      : target_(target), shape_(ConvShapeOf(spec)) {
    const int64_t outputs = shape_.group_outputs();
    block_ = outputs >= kMostOutputs ? kMostOutputs : outputs >= 4 ? 4 : outputs >= 2 ? 2 : 1;
    // The last two blocks may overlap: one task has both.
    blocks_ = (shape_.output_pixels() + kBlockPixels - 1) / kBlockPixels;
    const int64_t planes = shape_.batch * shape_.groups;
    const int64_t wanted =
        target.threads == 1 ? 1 : (int64_t{8} * target.threads + planes - 1) / planes;
    pieces_ = std::clamp<int64_t>(wanted, 1, std::max<int64_t>(blocks_ / 2, 1));
    Pack(weights);
  }

  size_t WorkspaceBytes() const { return 0; }
  size_t WeightBytes() const { return (weights_.size() + bias_.size()) * sizeof(float); }

  void Run(const T* x, const Epilogue<T>& epilogue, std::byte*) const {
    const VectorEpilogue<T> finish(epilogue, target_);
    const int64_t tasks = shape_.batch * shape_.groups * pieces_;
    const int64_t work =
        shape_.batch * shape_.out_channels * shape_.group_inputs() * shape_.output_pixels();
    ParallelFor(target_, tasks, work / tasks, [&](int64_t begin, int64_t end, int64_t) {
      for (int64_t task = begin; task < end; ++task) RunTask(task, x, finish);
    });
  }

 private:
  static constexpr int64_t kBlockPixels = int64_t{kLanes} * kMostVectors<kLanes>;

  void RunTask(int64_t task, const T* x, const VectorEpilogue<T>& finish) const {
    const int64_t piece = task % pieces_, plane = task / pieces_, pixels = shape_.output_pixels();
    const int64_t number = plane % shape_.groups, outputs = shape_.group_outputs();
    const int64_t stride = static_cast<int64_t>(weights_.size()) / shape_.groups;
    const PointwiseGroup group{shape_.group_inputs() / Products::kStep, outputs, pixels,
                               weights_.data() + number * stride,
                               bias_.data() + number * outputs * kLanes};
    const T* from = x + plane * shape_.group_inputs() * pixels;
    const int64_t begin = blocks_ * piece / pieces_ * kBlockPixels;
    const int64_t end = std::min(blocks_ * (piece + 1) / pieces_ * kBlockPixels, pixels);
    VisitBlock([&]<int kOutputs>() {
      Isa::Run([&] {
        MultiplyRange<kLanes, kOutputs, Products>(group, from, plane * outputs * pixels, begin, end,
                                                  finish);
      });
    });
  }

  template <typename Body>
  void VisitBlock(const Body& body) const {
    if (block_ == kMostOutputs) return body.template operator()<kMostOutputs>();
    if (block_ == 4) return body.template operator()<4>();
    if (block_ == 2) return body.template operator()<2>();
    body.template operator()<1>();
  }

  void Pack(std::span<const Tensor* const> weights) {
    const std::vector<float> values = WidenedValues(*weights[0]);
    bias_.resize(static_cast<size_t>(shape_.out_channels * kLanes), 0);
    if (weights.size() > 1) {
      const std::vector<float> bias = WidenedValues(*weights[1]);
      for (size_t i = 0; i < bias_.size(); ++i) bias_[i] = bias[i / kLanes];
    }
    const int64_t inputs = shape_.group_inputs(), outputs = shape_.group_outputs();
    for (int64_t group = 0; group < shape_.groups; ++group) {
      for (int64_t next = 0; next < outputs; next += block_) {
        const int64_t first = group * outputs + std::min(next, outputs - block_);
        for (int64_t i = 0; i < inputs / Products::kStep * block_; ++i) {
          const int64_t from = (first + i % block_) * inputs + i / block_ * Products::kStep;
          weights_.push_back(Products::WordOf(&values[static_cast<size_t>(from)]));
        }
      }
    }
  }

  Target target_;
  ConvShape shape_;
  int64_t block_ = 1, blocks_ = 1, pieces_ = 1;
  std::vector<float> weights_, bias_;
};

}  // namespace

std::unique_ptr<Kernel> MakeGroupedPointwise(const LayerSpec& spec, const Target& target,
                                             bool by_dots, std::span<const Tensor* const> weights) {
  assert(ConvShapeOf(spec).is_pointwise());
  assert(!by_dots || ConvShapeOf(spec).group_inputs() % 2 == 0);
  return VisitIsa(spec.output.dtype, target, by_dots, [&]<typename T, typename Isa>() {
    return MakeLayerKernel<T>(
        std::make_shared<const GroupedPointwise<Isa, T>>(spec, target, weights), spec);
  });
}

}  // namespace fettle
