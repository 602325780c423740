#include "fettle/core/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

namespace fettle {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A fresh folder for each test.
class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "fettle_file_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::vector<std::string> Listing() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  fs::path folder_;
};

template <typename F>
std::string ErrorOf(F&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

TEST_F(FileTest, ReadsWhatWasWritten) {
  const std::string bytes("a\0b\xff\n", 5);
  WriteFileAtomically(folder_ / "x", bytes);
  EXPECT_EQ(ReadFile(folder_ / "x"), bytes);
  WriteFileAtomically(folder_ / "x", "");
  EXPECT_EQ(ReadFile(folder_ / "x"), "");
  WriteFileAtomically(folder_ / "x", bytes, FileLife::kTemporary);
  EXPECT_EQ(ReadFile(folder_ / "x"), bytes);
  EXPECT_THAT(Listing(), testing::ElementsAre("x"));
}

TEST_F(FileTest, JoinsPieces) {
  const std::vector<std::string_view> pieces = {"one, ", "", "two"};
  WriteFileAtomically(folder_ / "x", pieces);
  EXPECT_EQ(ReadFile(folder_ / "x"), "one, two");
}

TEST_F(FileTest, ReadsFilesThatDoNotSayTheirSize) {
  EXPECT_THAT(ReadFile("/proc/self/status"), HasSubstr("Pid:"));
}

TEST_F(FileTest, ReadingSaysWhatIsWrong) {
  const auto reading = [](const fs::path& path) { return ErrorOf([&] { ReadFile(path); }); };
  EXPECT_THAT(reading(folder_ / "none"), HasSubstr("none: cannot read it: No such file"));
  EXPECT_THAT(reading(folder_), HasSubstr("Is a directory"));
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(reading(folder_ / "pipe"), HasSubstr("not a regular file"));
}

TEST_F(FileTest, WritingSaysWhatIsWrong) {
  const auto writing = [](const fs::path& path) {
    return ErrorOf([&] { WriteFileAtomically(path, "x"); });
  };
  EXPECT_THAT(writing(folder_ / "none" / "x"), HasSubstr("none/x: cannot write it: No such file"));
  EXPECT_THAT(writing(folder_), HasSubstr("Is a directory"));
  EXPECT_TRUE(Listing().empty());
}

TEST_F(FileTest, KeepsThePermissionsOfWhatItReplaces) {
  WriteFileAtomically(folder_ / "x", "old");
  fs::permissions(folder_ / "x", fs::perms::owner_read);
  WriteFileAtomically(folder_ / "x", "new");
  EXPECT_EQ(fs::status(folder_ / "x").permissions(), fs::perms::owner_read);
  EXPECT_EQ(ReadFile(folder_ / "x"), "new");
}

TEST_F(FileTest, ReplacesASymbolicLinkNotItsTarget) {
  WriteFileAtomically(folder_ / "target", "old");
  fs::create_symlink("target", folder_ / "link");
  WriteFileAtomically(folder_ / "link", "new");
  EXPECT_EQ(ReadFile(folder_ / "target"), "old");
  EXPECT_EQ(ReadFile(folder_ / "link"), "new");
  EXPECT_FALSE(fs::is_symlink(folder_ / "link"));
}

// A file-size limit stands in for a full disk: the write fails half-way.
TEST_F(FileTest, KeepsTheOldContentWhenTheNewDoesNotFit) {
  WriteFileAtomically(folder_ / "x", "old");
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small = {4096, before.rlim_max};
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message =
      ErrorOf([&] { WriteFileAtomically(folder_ / "x", std::string(10000, 'n')); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_THAT(message, HasSubstr("x: cannot write it: File too large"));
  EXPECT_EQ(ReadFile(folder_ / "x"), "old");
  EXPECT_THAT(Listing(), testing::ElementsAre("x"));
}

TEST_F(FileTest, WritesInTheCurrentFolder) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_);
  WriteFileAtomically("bare", "x");
  fs::current_path(before);
  EXPECT_EQ(ReadFile(folder_ / "bare"), "x");
}

TEST_F(FileTest, SaysBeforehandWhatCannotBeWritten) {
  fs::create_directory(folder_ / "sub");
  WriteFileAtomically(folder_ / "old", "kept");
  RequireWritable(folder_ / "new");
  RequireWritable(folder_ / "old");
  EXPECT_EQ(ReadFile(folder_ / "old"), "kept");
  for (const fs::path& path : {folder_ / "sub", folder_ / "none" / "new"}) {
    EXPECT_THAT(ErrorOf([&] { RequireWritable(path); }), HasSubstr(path.string()));
  }
  EXPECT_THAT(Listing(), testing::UnorderedElementsAre("sub", "old"));
}

}  // namespace
}  // namespace fettle
