// The program as a user types it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "fettle/core/file.h"
#include "fettle/core/npy.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/architectures/architecture_list.h"
#include "fettle/network/batch.h"
#include "fettle/network/onnx/export.h"
#include "fettle/network/onnx/import.h"
#include "fettle/primitives/primitive_list.h"
#include "fettle/runtime/default_choices.h"
#include "fettle/runtime/plan_builder.h"
#include "fettle/runtime/plan_file.h"
#include "tests/support/sanitized.h"
#include "tests/support/scratch_folder.h"
#include "tests/tuner/sample_session.h"

namespace fettle {
namespace {

using testing::HasSubstr;

struct Outcome {
  int code = -1;
  std::string text;  // both streams
};

Outcome RunShell(const std::string& command) {
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer;
  while (const size_t length = fread(buffer.data(), 1, buffer.size(), pipe)) {
    outcome.text.append(buffer.data(), length);
  }
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

Outcome Type(const std::string& arguments, const std::string& redirection = "2>&1") {
  return RunShell(Text(FETTLE_PROGRAM, " ", arguments, " ", redirection));
}

// Interrupted after so many seconds.
Outcome TypeAndInterrupt(int seconds, const std::string& arguments) {
  return RunShell(Text("timeout --foreground --preserve-status -s INT ", seconds, " ",
                       FETTLE_PROGRAM, " ", arguments, " 2>&1"));
}

std::string Model(const std::string& name) { return Text(FETTLE_MODELS, "/", name, ".onnx"); }

TEST(CommandLine, EveryCommandExplainsItselfWithAnExample) {
  for (const char* command : {"tune", "front", "deploy", "report", "bench", "run", "evaluate",
                              "train", "inspect", "rewrite", "query", "worker"}) {
    const Outcome outcome = Type(Text(command, " --help"));
    EXPECT_EQ(outcome.code, 0) << command;
    EXPECT_THAT(outcome.text, HasSubstr(Text("usage: fettle ", command)));
    EXPECT_THAT(outcome.text, HasSubstr("example"));
    EXPECT_THAT(Type("--help").text, HasSubstr(command));
  }
}

TEST(CommandLine, MistakesOfUsageExitWith2AndOneLine) {
  for (const std::string& arguments : std::vector<std::string>{
           "", "frobnicate", "run", "front", "tune model.onnx", "front a b", "run x --nonsense",
           "bench x --against openvino", "tune x.onnx --data fashion-mnist --objectives beauty",
           "tune x.onnx --data fashion-mnist --objectives latency,memory",
           "tune x.onnx --data fashion-mnist --device mars"}) {
    const Outcome outcome = Type(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments << outcome.text;
    EXPECT_FALSE(outcome.text.empty());
    if (!arguments.empty()) {
      EXPECT_EQ(std::ranges::count(outcome.text, '\n'), 1) << outcome.text;
    }
  }
}

TEST(CommandLine, AFileThatCannotBeUsedExitsWith3AndOneLine) {
  const Outcome outcome = Type("query nothing --db /dev/null/x");
  EXPECT_EQ(outcome.code, 3) << outcome.text;
  EXPECT_EQ(std::ranges::count(outcome.text, '\n'), 1) << outcome.text;
}

nlohmann::json DryRun(const std::filesystem::path& folder, const std::string& options) {
  const Outcome outcome = Type("tune " + (folder / "model.onnx").string() +
                                   " --data 'fashion-mnist?limit=100' --variants "
                                   "svd,group,spatial_svd,tucker1 --dry-run --json --db " +
                                   (folder / "costs.db").string() + " " + options,
                               "2> /dev/null");
  EXPECT_EQ(outcome.code, 0);
  return nlohmann::json::parse(outcome.text);
}

TEST(CommandLine, ADryRunSaysWhatWouldBeSearchedAndMakesNothing) {
  const ScratchFolder scratch;
  ExportOnnx(MakeArchitecture("resnet8", {1, 28, 28}, 10, 1), scratch.path() / "model.onnx");
  const nlohmann::json json =
      DryRun(scratch.path(), "--session " + (scratch.path() / "session").string());
  std::set<std::string> kinds;
  for (const auto& decision : json.at("decisions")) kinds.insert(decision.at("kind"));
  EXPECT_EQ(kinds, (std::set<std::string>{"structure", "precision"}));  // prune is not named
  EXPECT_GT(json.at("log10_candidates"), 1);
  EXPECT_GT(json.at("layers_to_be_measured"), 10);
  EXPECT_EQ(json.at("layers_to_be_measured"), json.at("layers_of_single_changes"));
  EXPECT_FALSE(std::filesystem::exists(scratch.path() / "costs.db"));
  EXPECT_FALSE(std::filesystem::exists(scratch.path() / "session"));
}

// What may change is screened for as many options as the budget can look at: for that which the
// session began with.
TEST(CommandLine, AResumedSessionSearchesWhatItBeganWithWhateverTheBudget) {
  const ScratchFolder scratch;
  ExportOnnx(MakeArchitecture("resnet8", {1, 28, 28}, 10, 1), scratch.path() / "model.onnx");
  SessionSettings settings = SampleSettings();
  settings.budget_seconds = 1;
  const std::filesystem::path folder = scratch.path() / "session";
  Session::Create(folder, settings);
  const nlohmann::json small = DryRun(scratch.path(), "--budget 1s").at("decisions");
  const nlohmann::json large = DryRun(scratch.path(), "--budget 10h").at("decisions");
  EXPECT_NE(small, large);
  EXPECT_EQ(
      DryRun(scratch.path(), "--budget 10h --resume --session " + folder.string()).at("decisions"),
      small);
}

TEST(CommandLine, ObjectivesAreCheckedBeforeAnythingElse) {
  const std::string tune = "tune " + Model("resnet20") + " --data fashion-mnist --dry-run --db ";
  const ScratchFolder scratch;
  const std::string database = (scratch.path() / "costs.db").string();
  const Outcome unknown = Type(tune + database + " --objectives latency,beauty");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.text, HasSubstr("latency, accuracy, memory and energy"));
  EXPECT_EQ(Type(tune + database + " --objectives latency,accuracy,memory").code, 0);
  // There is a meter or there is not; where there is none, the places are named.
  const Outcome energy = Type(tune + database + " --objectives latency,accuracy,energy");
  if (energy.code != 0) {
    EXPECT_EQ(energy.code, 4);
    EXPECT_THAT(energy.text, HasSubstr("/sys/class/powercap"));
    EXPECT_EQ(std::ranges::count(energy.text, '\n'), 1) << energy.text;
  }
}

// Each with one line that names the option and the remedy.
TEST(CommandLine, BadValuesExitWith2) {
  const std::string tune = "tune " + Model("resnet20") + " --data fashion-mnist ";
  const std::string bench = "bench " + Model("resnet20") + " ";
  for (const std::string& command : {tune, bench, "run " + Model("resnet20") + " "}) {
    for (const char* value : {"0", "-1", "1e9", "two", "1.5", "99999999999999999999", "''"}) {
      const Outcome outcome = Type(command + "--threads " + value);
      EXPECT_EQ(outcome.code, 2) << command << value << outcome.text;
      EXPECT_THAT(outcome.text, HasSubstr("--threads"));
      EXPECT_EQ(std::ranges::count(outcome.text, '\n'), 1) << outcome.text;
    }
  }
  for (const std::string& command : std::vector<std::string>{
           tune + "--batch 0", tune + "--batch two", bench + "--batch 1e9", bench + "--batch -1",
           bench + "--rounds 0", bench + "--primitive nosuch", bench + "--db ''",
           tune + "--strategy nosuch", tune + "--budget 0", tune + "--budget ten",
           tune + "--variants foo", tune + "--variants ''", tune + "--variants svd,,cp",
           tune + "--seed -1", tune + "--max-drop 200", tune + "--session ''", "bench ''"}) {
    const Outcome outcome = Type(command);
    EXPECT_EQ(outcome.code, 2) << command << outcome.text;
    EXPECT_EQ(std::ranges::count(outcome.text, '\n'), 1) << outcome.text;
  }
}

// Folders in the place of files, text in the place of models, places that cannot be written.
TEST(CommandLine, FilesThatAreNoneExitWith3BeforeTheWork) {
  const ScratchFolder scratch;
  const std::string folder = scratch.path().string(), text = folder + "/text",
                    none = folder + "/x/y";
  WriteFileAtomically(text, "hello");
  const std::string model = Model("resnet20");
  const std::string train = "train resnet20 --data 'fashion-mnist?limit=200' --epochs 1 --out ";
  const std::string rewrite =
      "rewrite " + model + " --layer stage1.block1.conv1 --variant 'prune(keep=0.5)' --out ";
  for (const std::string& command : std::vector<std::string>{
           "inspect " + folder,
           "inspect " + text,
           "run " + folder,
           "run " + model + " --input " + folder,
           "run " + model + " --input " + text,
           "evaluate " + model + " --data mnist:" + text,
           "tune " + folder + " --data fashion-mnist",
           "tune " + text + " --data fashion-mnist",
           "bench " + model + " --original " + none + " --db " + folder + "/costs.db",
           "bench " + model + " --original " + text + " --db " + folder + "/costs.db",
           "query best --db " + folder,
           "query best --db " + text,
           "report " + folder + " --out r",
           "deploy " + text + " --pick knee --out d",
           train + folder,
           train + none,
           rewrite + folder,
           rewrite + none,
           rewrite + text + " --data mnist:" + folder,
           train + text + " --checkpoint " + folder}) {
    const Outcome outcome = Type(command);
    EXPECT_EQ(outcome.code, 3) << command << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr(folder));
    EXPECT_EQ(std::ranges::count(outcome.text, '\n'), 1) << outcome.text;
  }
  EXPECT_EQ(ReadFile(text), "hello");
}

TEST(CommandLine, BadInputExitsWith3AndNamesTheFile) {
  const ScratchFolder scratch;
  const std::string broken = (scratch.path() / "broken.onnx").string();
  WriteFileAtomically(broken, ReadFile(Model("resnet20")).substr(0, 5000));
  for (const std::string& command : std::vector<std::string>{"inspect ", "run ", "bench "}) {
    const Outcome outcome = Type(command + broken);
    EXPECT_EQ(outcome.code, 3) << command;
    EXPECT_THAT(outcome.text, HasSubstr("broken.onnx"));
  }
  EXPECT_EQ(Type("inspect /no/such.onnx").code, 3);
  EXPECT_EQ(Type("front " + scratch.path().string()).code, 3);
  EXPECT_EQ(Type("evaluate " + Model("resnet20") + " --data fashion-mnist:/no/such").code, 3);
}

TEST(CommandLine, InspectListsLayersAndDecisionsAsJson) {
  if (kIsSanitized) GTEST_SKIP() << "takes minutes under the sanitizers";
  const Outcome outcome = Type("inspect --json " + Model("resnet20"), "2>/dev/null");
  ASSERT_EQ(outcome.code, 0);
  const auto json = nlohmann::json::parse(outcome.text);
  EXPECT_EQ(json.at("schema"), 1);
  EXPECT_GT(json.at("layers").size(), 40u);
  EXPECT_GT(json.at("decisions").size(), 5u);
  EXPECT_GT(json.at("decisions").at(0).at("options").at(0).at("macs"), 1'000'000);
  for (const auto& decision : json.at("decisions")) {
    EXPECT_TRUE(decision.at("options").empty() == decision.contains("reason"));
    for (const auto& option : decision.at("options")) {
      EXPECT_EQ(option.at("weight_bytes"), 4 * option.at("parameters").get<int64_t>());
      if (decision.at("kind") != "prune") continue;
      EXPECT_GT(option.at("error"), 0);
      EXPECT_LT(option.at("error"), 1);
    }
  }
  const Outcome plain = Type("inspect --json --no-errors " + Model("resnet20"), "2>/dev/null");
  ASSERT_EQ(plain.code, 0);
  const auto without = nlohmann::json::parse(plain.text);
  EXPECT_EQ(without.at("decisions").size(), json.at("decisions").size());
  EXPECT_TRUE(without.at("decisions").at(0).at("options").at(0).at("error").is_null());
}

// By layer, an option a line; each reason once.
TEST(CommandLine, InspectIsReadable) {
  const Outcome outcome = Type("inspect --no-errors --step 16 " + Model("resnet20"));
  ASSERT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("\n  stage3.block2.conv1\n    prune(keep=0.25)"));
  EXPECT_THAT(outcome.text, HasSubstr("\n  stage3.block2.add  (drop: with stage3.block2.conv1, "
                                      "stage3.block2.conv2)\n    drop()"));
  const std::string reason = "svd: its kernel is larger than 1x1";
  const size_t first = outcome.text.find(reason);
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(outcome.text.find(reason, first + 1), std::string::npos);
  EXPECT_THAT(outcome.text.substr(first), HasSubstr("\n    19 layers: stem.conv, "));
  EXPECT_THAT(outcome.text.substr(first), HasSubstr(" and 13 more\n"));
  EXPECT_THAT(outcome.text,
              HasSubstr("\n  spatial_svd, tucker1, tucker2, cp, group_pointwise, bottleneck, "
                        "bottleneck_group, depthwise: it is no convolution"));
}

TEST(CommandLine, RewritesALayer) {
  const ScratchFolder scratch;
  const std::string out = (scratch.path() / "out.onnx").string();
  const std::string rewrite = "rewrite " + Model("resnet20") + " --json --out " + out;
  const Graph original = ImportOnnx(Model("resnet20"));
  const Outcome plain = Type(rewrite + " --layer stage3.block1.conv1 --variant 'prune(keep=0.5)'");
  ASSERT_EQ(plain.code, 0) << plain.text;
  const auto json = nlohmann::json::parse(plain.text);
  EXPECT_EQ(json.at("before").at("parameters"), original.NumParameters());
  const Graph pruned = ImportOnnx(out);
  EXPECT_EQ(json.at("after").at("parameters"), pruned.NumParameters());
  EXPECT_LT(pruned.NumParameters(), original.NumParameters());
  EXPECT_EQ(pruned.metadata.at("fettle.rewritten"), "stage3.block1.conv1: prune(keep=0.5)");
  // The batch is open, as it was.
  ImportOptions options;
  options.batch = 3;
  EXPECT_EQ(BatchOf(ImportOnnx(out, options)), 3);

  // With data the layer's outputs are better kept than its weights are.
  const Outcome fitted =
      Type(rewrite + " --layer stage3.block1.shortcut.conv --variant 'svd(rank=8)' --data " +
               "'fashion-mnist?limit=200'",
           "2>/dev/null");
  ASSERT_EQ(fitted.code, 0) << fitted.text;
  const auto with_data = nlohmann::json::parse(fitted.text);
  ASSERT_EQ(with_data.at("data_errors").size(), 1u);
  const double error = with_data.at("data_errors").at(0).at("error");
  EXPECT_GT(error, 0);
  EXPECT_LT(error, with_data.at("error"));
  EXPECT_EQ(with_data.at("repaired"), "batch_norm");
  const Outcome evaluated = Type(
      "evaluate --json --data 'fashion-mnist?split=validation&limit=300' " + out, "2>/dev/null");
  EXPECT_GT(nlohmann::json::parse(evaluated.text).at("top1").at("value"), 0.88);
}

TEST(CommandLine, RewritesWithFreshWeights) {
  const ScratchFolder scratch;
  const std::string out = (scratch.path() / "out.onnx").string();
  const std::string rewrite = "rewrite " + Model("resnet20") + " --out " + out +
                              " --layer stage3.block1.shortcut.conv --variant 'svd(rank=8)'";
  const auto file_of = [&](const std::string& seed) {
    const Outcome outcome = Type(rewrite + seed);
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_EQ(outcome.text.find("error"),
              seed.empty() ? outcome.text.find("error by the weights") : std::string::npos);
    return ReadFile(out);
  };
  const std::string one = file_of(" --fresh 1");
  EXPECT_EQ(file_of(" --fresh 1"), one);
  EXPECT_NE(file_of(" --fresh 2"), one);
  EXPECT_NE(file_of(""), one);
}

TEST(CommandLine, RewritesByEverySaliency) {
  const ScratchFolder scratch;
  std::set<std::string> files;
  const int images = kIsSanitized ? 100 : 200;
  for (const char* saliency : {"l1", "l2", "taylor", "fisher"}) {
    const std::string out = (scratch.path() / saliency).string() + ".onnx";
    const Outcome outcome =
        Type(Text("rewrite ", Model("resnet20"), " --layer stage1.block1.conv1 --out ", out,
                  " --variant 'prune(keep=0.5)' --data 'fashion-mnist?limit=", images,
                  "' --saliency ", saliency));
    ASSERT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_THAT(outcome.text,
                HasSubstr(Text("'stage1.block1.conv2' computes, on ", images, " images")));
    files.insert(ReadFile(out));
  }
  EXPECT_GT(files.size(), 1u);  // they do not all choose the same channels
}

TEST(CommandLine, RewriteRefusesWithOneLineAndWritesNothing) {
  const ScratchFolder scratch;
  const std::string out = (scratch.path() / "out.onnx").string();
  const std::string rewrite = "rewrite " + Model("resnet20") + " --out " + out + " ";
  const std::string prune = rewrite + "--layer stage1.block1.conv1 --variant 'prune(keep=0.5)' ";
  const struct {
    std::string command;
    int code;
    const char* message;
  } cases[] = {
      {rewrite + "--variant 'drop()'", 2, "--layer is missing"},
      {rewrite + "--layer x --variant 'shrink(keep=1)'", 2, "no such kind; there are: "},
      {rewrite + "--layer x --variant 'prune(keep=2)'", 2, "keep=2 is not a fraction"},
      {rewrite + "--layer x --variant 'prune(keep=0.5)'", 3, "no channel group 'x'"},
      {rewrite + "--layer stem.conv --variant 'svd(rank=2)'", 3, "larger than 1x1"},
      {rewrite + "--layer stage2.block1.add --variant 'drop()'", 3, "a projection"},
      {prune + "--fresh 1", 2, "--fresh is for variants that rewrite"},
      {rewrite + "--layer classifier --variant 'svd(rank=2)' --fresh 1 --data fashion-mnist", 2,
       "give one of them"},
      {prune + "--saliency beauty", 2, "one of l2, l1, taylor, fisher"},
      {prune + "--saliency taylor", 2, "wants labelled images"},
      {prune + "--saliency fisher --data 'fashion-mnist?labels=none&limit=200'", 3,
       "has no labels"},
      {prune + "--data 'fashion-mnist?pad=2&limit=200'", 3, "32"},
      {rewrite + "--layer stage1.block1.add --variant 'drop()' --saliency l1", 2, "is for prune"},
  };
  for (const auto& [command, code, message] : cases) {
    const Outcome outcome = Type(command, "2>&1 >/dev/null | grep -v 'are looked at'");
    EXPECT_THAT(outcome.text, HasSubstr(message)) << command;
    EXPECT_EQ(std::ranges::count(outcome.text, '\n'), 1) << outcome.text;
    EXPECT_EQ(Type(command).code, code) << command;
    EXPECT_FALSE(std::filesystem::exists(out));
  }
}

TEST(CommandLine, RunsAModelOnAnImage) {
  const ScratchFolder scratch;
  const std::string input = (scratch.path() / "x.npy").string();
  const std::string output = (scratch.path() / "y.npy").string();
  WriteNpy(input, Tensor(TensorType{DType::kF32, {3, 1, 28, 28}}));
  ASSERT_EQ(Type("run " + Model("resnet20") + " --input " + input + " --output " + output).code, 0);
  EXPECT_EQ(ReadNpy(output).shape(), (Shape{3, 10}));
  const Outcome json = Type("run --json " + Model("resnet20") + " --input " + input, "");
  EXPECT_EQ(nlohmann::json::parse(json.text).at("outputs").at(0).at("values").size(), 30u);
  WriteNpy(input, Tensor(TensorType{DType::kF32, {1, 3, 28, 28}}));
  EXPECT_EQ(Type("run " + Model("resnet20") + " --input " + input).code, 3);
}

TEST(CommandLine, EvaluatesAModel) {
  const Outcome outcome =
      Type("evaluate --json --limit 300 --data fashion-mnist " + Model("resnet20"), "2>/dev/null");
  ASSERT_EQ(outcome.code, 0);
  const auto json = nlohmann::json::parse(outcome.text);
  EXPECT_EQ(json.at("samples"), 300);
  EXPECT_GT(json.at("top1").at("value"), 0.9);
}

TEST(CommandLine, EvaluatesAgainstAnotherModelAlsoWithoutLabels) {
  const std::string data = " --json --limit 200 --data 'fashion-mnist?labels=none' ";
  EXPECT_EQ(Type("evaluate" + data + Model("resnet20")).code, 2);
  const Outcome same = Type(
      "evaluate" + data + Model("resnet20") + " --against " + Model("resnet20"), "2>/dev/null");
  ASSERT_EQ(same.code, 0);
  const auto json = nlohmann::json::parse(same.text);
  EXPECT_FALSE(json.contains("top1"));
  EXPECT_EQ(json.at("against").at("agreement").at("value"), 1);
  EXPECT_NEAR(json.at("against").at("kl").get<double>(), 0, 1e-9);
  const Outcome other = Type("evaluate --json --limit 200 --data fashion-mnist " +
                                 Model("resnet20") + " --against " + Model("wrn-16-1"),
                             "2>/dev/null");
  ASSERT_EQ(other.code, 0);
  const auto compared = nlohmann::json::parse(other.text).at("against");
  EXPECT_GT(compared.at("kl"), 0);
  EXPECT_LE(compared.at("drop_points").at("low"), compared.at("drop_points").at("value"));
}

// The peer's answers are images' top classes, one by one.
TEST(CommandLine, EvaluatesAsOnnxRuntimeDoesImageForImage) {
  for (const char* model : {"resnet20", "wrn-16-1"}) {
    const Outcome outcome =
        Type("evaluate --json --limit 500 --rounds 6 --against onnxruntime --data fashion-mnist " +
             Model(model));
    if (outcome.code == 4) GTEST_SKIP() << outcome.text;  // not installed
    ASSERT_EQ(outcome.code, 0) << outcome.text;
    const auto json = nlohmann::json::parse(outcome.text.substr(outcome.text.find('{')));
    EXPECT_EQ(json.at("against").at("differing"), 0) << model;
    EXPECT_GT(json.at("against").at("ratio").at("median"), 0);
  }
}

// A folder like those that 'fettle deploy' writes, with the default primitives.
void WriteDeployed(const std::filesystem::path& folder, const std::string& model) {
  const PrimitiveList primitives = PrimitiveList::All();
  const Target target = HostTarget(1);
  ImportOptions options;
  options.batch = 1;
  const LayerGraph graph = Lower(ImportOnnx(model, options));
  std::filesystem::create_directories(folder);
  WritePlan(folder, DefaultPlan(graph, DType::kF32, primitives, target));
  std::filesystem::copy_file(model, folder / "model.onnx");
}

TEST(CommandLine, BenchHoldsADeployedFolderAgainstItsOriginalOnData) {
  const ScratchFolder scratch;
  const std::string folder = (scratch.path() / "deployed").string();
  WriteDeployed(folder, Model("resnet20"));
  const Outcome outcome = Type("bench --json --data 'fashion-mnist?split=validation&limit=200' " +
                                   folder + " --original " + Model("resnet20"),
                               "2>/dev/null");
  ASSERT_EQ(outcome.code, 0);
  const auto json = nlohmann::json::parse(outcome.text);
  EXPECT_GT(json.at("latency_ms").at("median"), 0);
  EXPECT_EQ(json.at("accuracy").at("split"), "validation");
  EXPECT_EQ(json.at("accuracy").at("samples"), 200);
  EXPECT_GT(json.at("accuracy").at("value"), 0.9);
  EXPECT_EQ(json.at("original_accuracy").at("value"), json.at("accuracy").at("value"));
  EXPECT_EQ(json.at("accuracy_drop_points").at("value"), 0);
  EXPECT_LT(json.at("accuracy_drop_points").at("low"), 0);
  EXPECT_GT(json.at("accuracy_drop_points").at("high"), 0);
}

TEST(CommandLine, AnInterruptEndsBenchWhileItMeasuresLayers) {
  const ScratchFolder scratch;
  const Outcome outcome =
      TypeAndInterrupt(5, Text("bench --db ", (scratch.path() / "costs.db").string(), " ",
                               Model("resnet20"), " --batch 16 --precision auto"));
  EXPECT_EQ(outcome.code, 5) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("in the database"));
}

TEST(CommandLine, AnInterruptEndsBenchFromEndToEnd) {
  const ScratchFolder scratch;
  const std::string folder = (scratch.path() / "deployed").string();
  WriteDeployed(folder, Model("resnet20"));
  const Outcome outcome =
      TypeAndInterrupt(8, Text("bench --against onnxruntime --rounds 10000 ", folder));
  if (outcome.code == 4) GTEST_SKIP() << outcome.text;  // ONNX Runtime is not installed
  EXPECT_EQ(outcome.code, 5) << outcome.text;
}

TEST(CommandLine, OutputThatCannotBeWrittenIsAnError) {
  EXPECT_EQ(Type("inspect --no-errors " + Model("resnet20"), ">/dev/full 2>/dev/null").code, 3);
}

TEST(CommandLine, ATemporaryFolderThatCannotBeMadeNamesTheRemedy) {
  const ScratchFolder scratch;
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  setenv("TMPDIR", (scratch.path() / "nowhere").c_str(), 1);
  const Outcome outcome = Type("bench " + Model("resnet20"));
  if (before == nullptr) {
    unsetenv("TMPDIR");
  } else {
    setenv("TMPDIR", kept.c_str(), 1);
  }
  EXPECT_EQ(outcome.code, 3) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("nowhere: no folder"));
  EXPECT_THAT(outcome.text, HasSubstr("TMPDIR"));
}

TEST(CommandLine, BenchOfADeployedFolderRefusesWhatItWouldIgnore) {
  const ScratchFolder scratch;
  const std::string folder = (scratch.path() / "deployed").string();
  WriteDeployed(folder, Model("resnet20"));
  for (const char* option : {"--batch 8", "--no-fusion", "--precision bf16"}) {
    const Outcome outcome = Type(Text("bench ", option, " ", folder));
    EXPECT_EQ(outcome.code, 2) << option;
    EXPECT_THAT(outcome.text, HasSubstr("as it is"));
  }
}

TEST(CommandLine, BenchNeedsImagesThatFitTheModel) {
  const Outcome outcome = Type("bench --data 'fashion-mnist?pad=2' " + Model("wrn-16-1"));
  EXPECT_EQ(outcome.code, 3) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("32"));
  EXPECT_EQ(Type("bench --data cifar " + Model("resnet20")).code, 2);
}

TEST(CommandLine, QueriesADatabaseThatIsNotThere) {
  const ScratchFolder scratch;
  EXPECT_EQ(Type("query devices --db " + (scratch.path() / "none.db").string()).code, 3);
}

}  // namespace
}  // namespace fettle
