// Whole sessions by the program itself: run twice, killed, interrupted, resumed.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "fettle/core/file.h"
#include "fettle/core/random.h"
#include "fettle/database/cost_database.h"
#include "fettle/network/architectures/architecture_list.h"
#include "fettle/network/onnx/export.h"
#include "tests/support/sanitized.h"
#include "tests/support/scratch_folder.h"
#include "tests/tuner/sample_session.h"

namespace fettle {
namespace {

using std::chrono::milliseconds;

// A small untrained network on a few images: what it comes to is not the question.
class WholeSessionTest : public testing::Test {
 protected:
  void SetUp() override {
    if (kIsSanitized) GTEST_SKIP() << "takes minutes under the sanitizers";
    if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
      GTEST_SKIP() << "Debian's dataset-fashion-mnist is not installed";
    }
    ExportOnnx(MakeArchitecture("resnet8", {1, 28, 28}, 10, 1), scratch_.path() / "model.onnx");
  }

  // Starts `fettle tune`; its output goes to files in the scratch folder.
  pid_t Start(const std::string& session, bool resumes) {
    const auto in = [&](const char* name) { return (scratch_.path() / name).string(); };
    std::vector<std::string> words = {
        FETTLE_PROGRAM, "tune",      in("model.onnx"),    "--data", data_, "--budget", "3s", "--db",
        in("costs.db"), "--session", in(session.c_str()), "--json"};
    if (resumes) words.emplace_back("--resume");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const std::string out = in("out.json"), errors = in("errors.txt");
    const pid_t pid = fork();
    if (pid == 0) {
      if (freopen(out.c_str(), "w", stdout) == nullptr) _exit(126);
      if (freopen(errors.c_str(), "w", stderr) == nullptr) _exit(126);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
    return pid;
  }

  // The exit code, or minus the signal that ended it.
  static int Await(pid_t pid) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  // Runs to the end; the records of `--json`.
  nlohmann::json Run(const std::string& session, bool resumes) {
    EXPECT_EQ(Await(Start(session, resumes)), 0) << ReadFile(scratch_.path() / "errors.txt");
    const auto json = nlohmann::json::parse(ReadFile(scratch_.path() / "out.json"));
    // Verified ones: of an untrained network, none need beat the original.
    const std::string log = ReadFile(scratch_.path() / session / "log.jsonl");
    EXPECT_NE(log.find("{\"event\":\"point\""), std::string::npos);
    return json.at("records");
  }

  int64_t CountRecords() const {
    const std::filesystem::path file = scratch_.path() / "costs.db";
    if (!std::filesystem::exists(file)) return 0;
    const CostDatabase database = CostDatabase::Open(file, CostDatabase::Access::kReadOnly);
    EXPECT_FALSE(database.salvage().has_value());
    return static_cast<int64_t>(database.Find(CostFilter()).size());
  }

  // Lets a session go on until its profile has added so many records.
  void AwaitRecords(int64_t count) const {
    for (int i = 0; i < 6000; ++i) {
      std::this_thread::sleep_for(milliseconds(10));
      try {
        if (CountRecords() >= count) return;
      } catch (const Error&) {
        // It is just being made.
      }
    }
  }

  ScratchFolder scratch_;
  std::string data_ = "fashion-mnist?limit=100";
};

TEST_F(WholeSessionTest, ASecondRunMeasuresNothingAnew) {
  const nlohmann::json first = Run("first", false);
  EXPECT_GT(first.at("new"), 0);
  EXPECT_EQ(first.at("reused"), 0);
  EXPECT_EQ(first.at("new"), CountRecords());
  const nlohmann::json second = Run("second", false);
  EXPECT_EQ(second.at("new"), 0);
  EXPECT_EQ(second.at("reused"), first.at("requested"));
  EXPECT_EQ(second.at("requested"), first.at("requested"));
  EXPECT_TRUE(second.at("remeasured").empty());
  EXPECT_EQ(first.at("new"), CountRecords());
}

TEST_F(WholeSessionTest, AKillLosesNoMeasurement) {
  Random random(static_cast<uint64_t>(getpid()));
  int64_t before = 0;
  for (int kill_number = 0; kill_number < 3; ++kill_number) {
    // The first while it profiles, the others at any moment.
    const pid_t pid = Start("killed", kill_number > 0);
    if (kill_number == 0) AwaitRecords(1);
    const auto pause = milliseconds(random.Below(kill_number == 0 ? 500 : 2500));
    std::this_thread::sleep_for(pause);
    kill(pid, SIGKILL);
    SCOPED_TRACE(Text("kill ", kill_number, " after ", pause.count(), " ms"));
    ASSERT_EQ(Await(pid), -SIGKILL) << ReadFile(scratch_.path() / "errors.txt");
    const int64_t now = CountRecords();
    EXPECT_GE(now, std::max<int64_t>(before, 1));
    before = now;
  }
  const nlohmann::json records = Run("killed", true);
  EXPECT_EQ(records.at("reused"), before);
  EXPECT_EQ(before + records.at("new").get<int64_t>(), CountRecords());
  EXPECT_EQ(records.at("requested"), CountRecords());
}

TEST_F(WholeSessionTest, AnInterruptIsNotedAndResumed) {
  const pid_t pid = Start("interrupted", false);
  AwaitRecords(1);
  kill(pid, SIGINT);
  EXPECT_EQ(Await(pid), 5);
  EXPECT_NE(ReadFile(scratch_.path() / "errors.txt").find("--resume"), std::string::npos);
  const int64_t before = CountRecords();
  EXPECT_EQ(Run("interrupted", true).at("reused"), before);
}

TEST_F(WholeSessionTest, WithoutLabelsTheFrontIsOfAgreement) {
  data_ += "&labels=none";
  Run("unlabelled", false);
  const auto front = nlohmann::json::parse(ReadFile(scratch_.path() / "out.json"));
  EXPECT_EQ(front.at("metric"), "agreement");
  EXPECT_EQ(front.at("original").at("accuracy").at("value"), 1);
  for (const auto& point : front.at("points")) {
    EXPECT_EQ(point.at("accuracy").at("value"), point.at("agreement"));
  }
  const Session session = Session::Read(scratch_.path() / "unlabelled");
  EXPECT_EQ(session.settings().metric, "agreement");
}

}  // namespace
}  // namespace fettle
