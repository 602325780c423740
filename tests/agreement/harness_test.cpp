// The harness must see what a kernel can do wrong: each fault here is one it has to report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "fettle/primitives/primitive_families.h"
#include "tests/support/agreement.h"

namespace fettle {
namespace {

using Script = std::function<void(std::span<const std::byte* const>, std::byte*, std::byte*)>;

struct Behaviour {
  Script run;
  Layout layout = Layout::kPlain;
  std::optional<size_t> in_place_input = std::nullopt;
  std::string name = "test.copy";
  size_t num_layouts = 1;
};

class ScriptedKernel : public Kernel {
 public:
  explicit ScriptedKernel(Script run) : run_(std::move(run)) {}
  size_t WorkspaceBytes() const override { return 64; }
  void Run(std::span<const std::byte* const> inputs, std::byte* output,
           std::byte* workspace) const override {
    run_(inputs, output, workspace);
  }

 private:
  Script run_;
};

// An identity that does what it is told.
class ScriptedPrimitive : public Primitive {
 public:
  explicit ScriptedPrimitive(Behaviour behaviour) : behaviour_(std::move(behaviour)) {}
  std::string_view Name() const override { return "test.copy"; }
  Support Supports(const LayerSpec&, const Target&) const override { return Support::Yes(); }
  std::vector<Implementation> Implementations(const LayerSpec&, const Target&) const override {
    return {{behaviour_.name, 1, std::vector<Layout>(behaviour_.num_layouts, behaviour_.layout),
             behaviour_.layout, behaviour_.in_place_input}};
  }
  std::unique_ptr<Kernel> Prepare(const LayerSpec&, const Implementation&, const Target&,
                                  std::span<const Tensor* const>) const override {
    return std::make_unique<ScriptedKernel>(behaviour_.run);
  }

 private:
  Behaviour behaviour_;
};

constexpr size_t kElements = 2 * 5 * 3;  // of [2,5,3], which blocked8 pads to [2,8,3]

std::vector<std::string> FaultsOf(Behaviour behaviour) {
  std::vector<std::unique_ptr<Primitive>> primitives;
  primitives.push_back(MakeReference());
  primitives.push_back(std::make_unique<ScriptedPrimitive>(std::move(behaviour)));
  LayerSpec spec;
  spec.op = Identity{};
  spec.inputs = {{DType::kF32, {2, 5, 3}}};
  spec.output = spec.inputs[0];
  return CheckAgreement(spec, PrimitiveList(std::move(primitives)), Target(), 1).faults;
}

void Copy(std::span<const std::byte* const> inputs, std::byte* output) {
  std::memmove(output, inputs[0], kElements * sizeof(float));
}

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(AgreementHarnessTest, TakesWhatIsRight) {
  Behaviour right{[](auto inputs, std::byte* output, std::byte* workspace) {
    std::memset(workspace, 7, 64);
    Copy(inputs, output);
  }};
  EXPECT_THAT(FaultsOf(right), IsEmpty());
  right.in_place_input = 0;
  EXPECT_THAT(FaultsOf(right), IsEmpty());
}

TEST(AgreementHarnessTest, SeesAWrongValue) {
  const auto wrong = [](auto inputs, std::byte* output, std::byte*) {
    Copy(inputs, output);
    reinterpret_cast<float*>(output)[7] += 1e-5f;
  };
  EXPECT_THAT(FaultsOf({wrong}), ElementsAre(HasSubstr("error"), HasSubstr("error")));
}

TEST(AgreementHarnessTest, SeesWhatWasNotWritten) {
  const auto lazy = [](auto inputs, std::byte* output, std::byte*) {
    std::memmove(output, inputs[0], (kElements - 1) * sizeof(float));
  };
  EXPECT_THAT(FaultsOf({lazy}), ElementsAre(HasSubstr("error inf"), HasSubstr("error inf")));
}

TEST(AgreementHarnessTest, SeesThatAKernelIsWrongInPlace) {
  const auto wrong = [](auto inputs, std::byte* output, std::byte*) {
    if (inputs[0] != output) Copy(inputs, output);
    if (inputs[0] == output) reinterpret_cast<float*>(output)[0] = 99;
  };
  EXPECT_THAT(FaultsOf({wrong, Layout::kPlain, 0}), ElementsAre(HasSubstr("(in place)")));
}

TEST(AgreementHarnessTest, SeesStateLeftInTheWorkspace) {
  const auto forgetful = [runs = std::make_shared<int>(0)](auto inputs, std::byte* output,
                                                           std::byte* workspace) {
    if ((*runs)++ == 0) workspace[0] = std::byte{1};
    if (workspace[0] == std::byte{1}) Copy(inputs, output);
  };
  EXPECT_THAT(FaultsOf({forgetful}), ElementsAre(HasSubstr("error inf")));
}

TEST(AgreementHarnessTest, SeesPaddingThatIsNotZero) {
  const auto copy_all = [](auto inputs, std::byte* output, std::byte*) {
    std::memcpy(output, inputs[0], size_t{2} * 8 * 3 * sizeof(float));
  };
  EXPECT_THAT(FaultsOf({copy_all, Layout::kBlocked8}), IsEmpty());
  const auto soiled = [copy_all](auto inputs, std::byte* output, std::byte* workspace) {
    copy_all(inputs, output, workspace);
    reinterpret_cast<float*>(output)[7] = 1;
  };
  EXPECT_THAT(FaultsOf({soiled, Layout::kBlocked8}),
              ElementsAre(HasSubstr("padding"), HasSubstr("padding")));
}

TEST(AgreementHarnessTest, SeesAChangedInput) {
  const auto wrong = [](auto inputs, std::byte* output, std::byte*) {
    Copy(inputs, output);
    const_cast<std::byte*>(inputs[0])[0] ^= std::byte{1};
  };
  EXPECT_THAT(FaultsOf({wrong}), ElementsAre(HasSubstr("changed"), HasSubstr("changed")));
}

#if !defined(__SANITIZE_ADDRESS__)  // which would rightly stop the program
TEST(AgreementHarnessTest, SeesWritesBeyondTheEnds) {
  const auto behind = [](auto inputs, std::byte* output, std::byte*) {
    Copy(inputs, output);
    output[kElements * sizeof(float)] = std::byte{0};
  };
  EXPECT_THAT(FaultsOf({behind}), ElementsAre(HasSubstr("beyond the output"), HasSubstr("beyond")));
  const auto before = [](auto inputs, std::byte* output, std::byte* workspace) {
    Copy(inputs, output);
    workspace[-1] = std::byte{0};
  };
  EXPECT_THAT(FaultsOf({before}),
              ElementsAre(HasSubstr("beyond the workspace"), HasSubstr("beyond")));
}
#endif

TEST(AgreementHarnessTest, SeesAWrongDescription) {
  const auto copy = [](auto inputs, std::byte* output, std::byte*) { Copy(inputs, output); };
  for (const Behaviour& behaviour : {Behaviour{copy, Layout::kPlain, std::nullopt, "another.name"},
                                     Behaviour{copy, Layout::kPlain, std::nullopt, "test.copy", 2},
                                     Behaviour{copy, Layout::kPlain, 1}}) {
    EXPECT_THAT(FaultsOf(behaviour), ElementsAre(HasSubstr("describes itself wrongly")));
  }
}

}  // namespace
}  // namespace fettle
