#include "tests/support/agreement.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/core/threads.h"
#include "fettle/primitives/tolerance.h"
#include "tests/support/random_tensor.h"

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __asan_poison_memory_region(void const volatile*, size_t);
extern "C" void __asan_unpoison_memory_region(void const volatile*, size_t);
#endif

namespace fettle {
namespace {

// Bytes on either side: a tile of 16 rows and 1,024 channels in bf16, so that what a faulty
// implementation writes beyond is found there, rather than in the heap.
constexpr size_t kGuard = 32768;
constexpr std::byte kGuardByte{0xa5};
constexpr std::byte kPoison{0xff};  // a NaN of f32 and of bf16

// Memory aligned to 64 bytes, guarded on both sides against writes and, by the address sanitizer,
// against reads.
class GuardedBuffer {
 public:
  explicit GuardedBuffer(size_t bytes)
      : bytes_(bytes),
        memory_(static_cast<std::byte*>(operator new (bytes + 2 * kGuard, std::align_val_t{64}))) {
    std::fill_n(memory_, bytes_ + 2 * kGuard, kGuardByte);
#if defined(__SANITIZE_ADDRESS__)
    __asan_poison_memory_region(memory_, kGuard);
    __asan_poison_memory_region(data() + bytes_, kGuard);
#endif
  }
  ~GuardedBuffer() {
    Unpoison();
    operator delete (memory_, std::align_val_t{64});
  }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  std::byte* data() { return memory_ + kGuard; }
  const std::byte* data() const { return memory_ + kGuard; }
  size_t size() const { return bytes_; }

  void Fill(std::byte value) { std::fill_n(data(), bytes_, value); }
  void CopyFrom(const GuardedBuffer& other) { std::copy_n(other.data(), bytes_, data()); }
  bool Equals(const GuardedBuffer& other) const {
    return std::equal(data(), data() + bytes_, other.data());
  }

  // For good: to be called once, when all is done.
  bool IsGuardIntact() {
    Unpoison();
    const auto is_whole = [](const std::byte* at) {
      return *at == kGuardByte && std::memcmp(at, at + 1, kGuard - 1) == 0;
    };
    return is_whole(memory_) && is_whole(data() + bytes_);
  }

 private:
  void Unpoison() {
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(memory_, bytes_ + 2 * kGuard);
#endif
  }

  size_t bytes_;
  std::byte* memory_;
};

bool NextIndices(const Shape& shape, Shape* indices) {
  for (size_t axis = shape.size(); axis-- > 0;) {
    if (++(*indices)[axis] < shape[axis]) return true;
    (*indices)[axis] = 0;
  }
  return false;
}

// Where in memory, in elements, each element lies, in row-major order.
using Offsets = std::vector<size_t>;

Offsets OffsetsOf(const Shape& shape, Layout layout) {
  Offsets offsets;
  if (ElementCount(shape) == 0) return offsets;
  Shape indices(shape.size(), 0);
  do {
    offsets.push_back(static_cast<size_t>(PhysicalOffset(shape, layout, indices)));
  } while (NextIndices(shape, &indices));
  return offsets;
}

void Arrange(const Tensor& tensor, const Offsets& offsets, GuardedBuffer* buffer) {
  const size_t size = SizeOf(tensor.dtype());
  buffer->Fill(std::byte{0});
  for (size_t i = 0; i < offsets.size(); ++i) {
    std::memcpy(buffer->data() + offsets[i] * size, tensor.bytes() + i * size, size);
  }
}

// Back to row-major; false where the padding is not zeros.
bool Collect(const GuardedBuffer& buffer, const Offsets& offsets, Tensor* tensor) {
  const size_t size = SizeOf(tensor->dtype());
  std::vector<std::byte> rest(buffer.data(), buffer.data() + buffer.size());
  for (size_t i = 0; i < offsets.size(); ++i) {
    std::memcpy(tensor->bytes() + i * size, buffer.data() + offsets[i] * size, size);
    std::memset(rest.data() + offsets[i] * size, 0, size);
  }
  return std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; });
}

std::string Described(const LayerSpec& spec, const Implementation& implementation) {
  std::string text = implementation.name + " (";
  for (Layout layout : implementation.inputs) text.append(NameOf(layout)).append(" ");
  text.append("-> ").append(NameOf(implementation.output)).append(") of ").append(KeyOf(spec).text);
  return text;
}

class Comparison {
 public:
  Comparison(const LayerSpec& spec, const PrimitiveList& list, const Target& target, uint64_t seed)
      : spec_(spec), list_(list), target_(target), expected_(spec.output) {
    Random random(seed);
    operands_ = RandomOperands(spec, &random);
  }

  Agreement Run() {
    const ThreadScope threads(target_.threads);
    if (const Support support = list_.reference().Supports(spec_, target_); !support) {
      agreement_.faults.push_back("the reference refuses " + KeyOf(spec_).text + ": " +
                                  support.reason);
      return agreement_;
    }
    ComputeExpected();
    for (const auto& primitive : list_.primitives()) {
      if (!primitive->Supports(spec_, target_)) continue;
      for (const Implementation& implementation : primitive->Implementations(spec_, target_)) {
        Check(*primitive, implementation);
      }
    }
    return agreement_;
  }

 private:
  template <typename... Parts>
  void Fault(const Implementation& implementation, const Parts&... parts) {
    agreement_.faults.push_back(Text(Described(spec_, implementation), ": ", parts...));
  }

  // The weights die before the kernel runs, overwritten.
  std::unique_ptr<Kernel> Prepare(const Primitive& primitive,
                                  const Implementation& implementation) const {
    std::vector<Tensor> weights = operands_.weights;
    std::vector<const Tensor*> pointers;
    pointers.reserve(weights.size());
    for (const Tensor& weight : weights) pointers.push_back(&weight);
    std::unique_ptr<Kernel> kernel = primitive.Prepare(spec_, implementation, target_, pointers);
    for (Tensor& weight : weights) std::fill_n(weight.bytes(), weight.num_bytes(), kPoison);
    return kernel;
  }

  void ComputeExpected() {
    Implementation plain{"reference", 1, {}, Layout::kPlain, std::nullopt};
    plain.inputs.assign(spec_.inputs.size(), Layout::kPlain);
    const auto kernel = Prepare(list_.reference(), plain);
    std::vector<const std::byte*> inputs;
    for (const Tensor& input : operands_.inputs) inputs.push_back(input.bytes());
    kernel->Run(inputs, expected_.bytes(), nullptr);
  }

  bool IsSound(const Primitive& primitive, const Implementation& implementation) {
    bool is_sound = implementation.inputs.size() == spec_.inputs.size() &&
                    CanHave(spec_.output.shape, implementation.output) &&
                    list_.Find(implementation.name) == &primitive;
    for (size_t i = 0; is_sound && i < spec_.inputs.size(); ++i) {
      is_sound = CanHave(spec_.inputs[i].shape, implementation.inputs[i]);
    }
    const std::optional<size_t> place = implementation.in_place_input;
    if (is_sound && place) {
      is_sound = *place < spec_.inputs.size() &&
                 PhysicalBytes(spec_.inputs[*place], implementation.inputs[*place]) ==
                     PhysicalBytes(spec_.output, implementation.output);
    }
    if (!is_sound) Fault(implementation, "the implementation describes itself wrongly");
    if (!described_.insert(Described(spec_, implementation)).second) {
      Fault(implementation, "two implementations of this name and these layouts");
    }
    return is_sound;
  }

  void Check(const Primitive& primitive, const Implementation& implementation) {
    if (!IsSound(primitive, implementation)) return;
    agreement_.compared.push_back(implementation.name);
    try {
      const auto kernel = Prepare(primitive, implementation);
      // Twice apart, to see that the first run leaves nothing behind that the second needs.
      CheckRun(*kernel, implementation, std::nullopt);
      CheckRun(*kernel, implementation, implementation.in_place_input);
    } catch (const Error& error) {
      Fault(implementation, error.what());
    }
  }

  void CheckRun(const Kernel& kernel, const Implementation& implementation,
                std::optional<size_t> in_place) {
    std::vector<std::unique_ptr<GuardedBuffer>> inputs;
    std::vector<const std::byte*> pointers;
    for (size_t i = 0; i < spec_.inputs.size(); ++i) {
      const auto bytes = PhysicalBytes(spec_.inputs[i], implementation.inputs[i]);
      inputs.push_back(std::make_unique<GuardedBuffer>(static_cast<size_t>(bytes)));
      Arrange(operands_.inputs[i], OffsetsIn(spec_.inputs[i].shape, implementation.inputs[i]),
              inputs.back().get());
      pointers.push_back(inputs.back()->data());
    }
    const auto bytes = PhysicalBytes(spec_.output, implementation.output);
    GuardedBuffer output(static_cast<size_t>(bytes)), workspace(kernel.WorkspaceBytes());
    output.Fill(kPoison);
    workspace.Fill(kPoison);
    if (in_place) {
      output.CopyFrom(*inputs[*in_place]);
      pointers[*in_place] = output.data();
    }
    kernel.Run(pointers, output.data(), workspace.data());
    CheckResult(implementation, in_place.has_value(), &output);
    CheckMemory(implementation, &inputs, &output, &workspace);
  }

  void CheckResult(const Implementation& implementation, bool is_in_place, GuardedBuffer* output) {
    const char* how = is_in_place ? " (in place)" : "";
    Tensor actual(spec_.output);
    if (!Collect(*output, OffsetsIn(spec_.output.shape, implementation.output), &actual)) {
      Fault(implementation, "padding channels are not zeros", how);
    }
    const double error = RelativeError(spec_.output, expected_.bytes(), actual.bytes());
    const double tolerance = ToleranceOf(spec_, implementation);
    if (!(error <= tolerance)) {
      Fault(implementation, "error ", error, " above ", tolerance, how);
    }
  }

  void CheckMemory(const Implementation& implementation,
                   std::vector<std::unique_ptr<GuardedBuffer>>* inputs, GuardedBuffer* output,
                   GuardedBuffer* workspace) {
    for (size_t i = 0; i < inputs->size(); ++i) {
      GuardedBuffer before((*inputs)[i]->size());
      Arrange(operands_.inputs[i], OffsetsIn(spec_.inputs[i].shape, implementation.inputs[i]),
              &before);
      if (!(*inputs)[i]->Equals(before)) Fault(implementation, "input ", i, " was changed");
      if (!(*inputs)[i]->IsGuardIntact()) Fault(implementation, "wrote beyond input ", i);
    }
    if (!output->IsGuardIntact()) Fault(implementation, "wrote beyond the output");
    if (!workspace->IsGuardIntact()) Fault(implementation, "wrote beyond the workspace");
  }

  const Offsets& OffsetsIn(const Shape& shape, Layout layout) {
    const auto [at, is_new] = offsets_.try_emplace({shape, layout});
    if (is_new) at->second = OffsetsOf(shape, layout);
    return at->second;
  }

  const LayerSpec& spec_;
  const PrimitiveList& list_;
  const Target& target_;
  LayerOperands operands_;
  Tensor expected_;
  std::map<std::pair<Shape, Layout>, Offsets> offsets_;
  std::set<std::string> described_;
  Agreement agreement_;
};

}  // namespace

Agreement CheckAgreement(const LayerSpec& spec, const PrimitiveList& list, const Target& target,
                         uint64_t seed) {
  return Comparison(spec, list, target, seed).Run();
}

}  // namespace fettle
