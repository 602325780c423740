#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/training/data/augmentation.h"
#include "fettle/training/data/dataset_files.h"
#include "tests/support/fault.h"
#include "tests/support/scratch_folder.h"
#include "tests/training/toy_dataset.h"

namespace fettle {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string LoadingFaultOf(const std::string& text) {
  return FaultOf([&] { LoadDataset(ParseDataSpec(text, DataSplit::kTrain)); });
}

TEST(DataSpecTest, Parses) {
  const DataSpec plain = ParseDataSpec("fashion-mnist", DataSplit::kTest);
  EXPECT_EQ(plain.format, "fashion-mnist");
  EXPECT_EQ(plain.place, "/usr/share/datasets/fashion-mnist");
  EXPECT_EQ(plain.split, DataSplit::kTest);
  EXPECT_FALSE(plain.limit);
  const DataSpec full =
      ParseDataSpec("cifar10:/data/a:b?mean=0.5,0.25,-1&std=0.5&split=validation&limit=20&pad=2",
                    DataSplit::kTest);
  EXPECT_EQ(full.format, "cifar10");
  EXPECT_EQ(full.place, "/data/a:b");
  EXPECT_THAT(*full.mean, ElementsAre(0.5f, 0.25f, -1));
  EXPECT_THAT(*full.deviation, ElementsAre(0.5f));
  EXPECT_EQ(full.split, DataSplit::kValidation);
  EXPECT_EQ(full.limit, 20);
  EXPECT_EQ(full.pad, 2);
}

TEST(DataSampleTest, IsDrawnByASeedAndKeepsItsOrder) {
  const std::vector<int64_t> drawn = DrawnIndices(100, {10, 3});
  ASSERT_EQ(drawn.size(), 10u);
  for (size_t i = 0; i < drawn.size(); ++i) {
    EXPECT_LT(i == 0 ? -1 : drawn[i - 1], drawn[i]);
  }
  EXPECT_LT(drawn.back(), 100);
  EXPECT_GT(drawn.back(), 50);
  EXPECT_EQ(drawn, DrawnIndices(100, {10, 3}));
  EXPECT_NE(drawn, DrawnIndices(100, {10, 4}));
  EXPECT_THAT(DrawnIndices(3, {10, 3}), ElementsAre(0, 1, 2));
  EXPECT_TRUE(DrawnIndices(3, {0, 3}).empty());
  const Dataset whole = ToyDataset(100, {1, 4, 4}, 1), part = Sampled(whole, {10, 3});
  ASSERT_EQ(part.size(), 10);
  for (size_t i = 0; i < drawn.size(); ++i) {
    EXPECT_EQ(part.labels[i], whole.labels[static_cast<size_t>(drawn[i])]);
  }
}

TEST(DataSpecTest, NamesWhatIsWrongAndWhatIsKnown) {
  EXPECT_THAT(LoadingFaultOf("imagenet:/x"), AllOf(HasSubstr("'imagenet'"), HasSubstr("cifar10")));
  EXPECT_THAT(LoadingFaultOf(""), HasSubstr("fashion-mnist"));
  EXPECT_THAT(LoadingFaultOf("mnist"), HasSubstr("mnist:FOLDER"));
  EXPECT_THAT(LoadingFaultOf("npz"), HasSubstr("npz:FILE"));
  EXPECT_THAT(LoadingFaultOf("npz:/nowhere/x.npz"), HasSubstr("/nowhere/x.npz"));
  EXPECT_THAT(LoadingFaultOf("images:/nowhere"), HasSubstr("no such folder"));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?colour=red"),
              AllOf(HasSubstr("'colour'"), HasSubstr("mean, std, scale, split, limit")));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?resize=32"), HasSubstr("'resize' of fashion-mnist"));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?labels=coarse"), HasSubstr("cifar100"));
  EXPECT_THAT(LoadingFaultOf("npz:x?crop=32"), HasSubstr("'crop' of npz"));
  EXPECT_THAT(LoadingFaultOf("images:x?labels=coarse"), HasSubstr("cifar100"));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?scale=1,2"), HasSubstr("one number"));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?split=all"),
              AllOf(HasSubstr("'all'"), HasSubstr("train")));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?limit=0"), HasSubstr("limit"));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?limit=5x"), HasSubstr("'5x'"));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?limit=99999999999999999999"), HasSubstr("limit"));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?mean=a"), HasSubstr("'a'"));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?mean="), HasSubstr("mean"));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?mean=nan"), HasSubstr("mean"));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?std=0"), HasSubstr("std"));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?pad=-1"), HasSubstr("pad"));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?pad=5000"), HasSubstr("pad"));
  EXPECT_THAT(LoadingFaultOf("fashion-mnist?mean=1,2"), HasSubstr("2 numbers for 1 channels"));
}

// A dataset in MNIST's files: 40 images of 2x3, the first pixel of each its number.
class MnistTest : public testing::Test {
 protected:
  MnistTest() {
    for (const char* prefix : {"train", "t10k"}) {
      std::string images = Header({40, 2, 3}), labels = Header({40});
      for (int i = 0; i < 40; ++i) {
        images += std::string(1, static_cast<char>(i)) + "abcde";
        labels += static_cast<char>(i % 2);
      }
      Write(prefix + std::string("-images-idx3-ubyte"), images);
      Write(prefix + std::string("-labels-idx1-ubyte"), labels);
    }
  }

  static std::string Header(const std::vector<uint32_t>& extents) {
    std::string bytes{0, 0, 8, static_cast<char>(extents.size())};
    for (const uint32_t extent : extents) {
      for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(extent >> shift);
    }
    return bytes;
  }
  void Write(const std::string& name, const std::string& bytes) const {
    WriteFileAtomically(scratch_.path() / name, bytes);
  }
  std::string Data(const std::string& options = "") const {
    return "mnist:" + scratch_.path().string() + options;
  }

  static constexpr const char* kImages = "train-images-idx3-ubyte";
  static constexpr const char* kLabels = "train-labels-idx1-ubyte";
  const ScratchFolder scratch_;
};

std::vector<int> Numbers(const Dataset& dataset) {
  std::vector<int> numbers;
  const int64_t bytes = ElementCount(dataset.ImageShape());
  for (int64_t i = 0; i < dataset.size(); ++i) {
    numbers.push_back(dataset.images.values<uint8_t>()[static_cast<size_t>(i * bytes)]);
  }
  return numbers;
}

TEST_F(MnistTest, SplitsAreDisjointAndWhole) {
  const Dataset train = LoadDataset(ParseDataSpec(Data(), DataSplit::kTrain));
  const Dataset validation = LoadDataset(ParseDataSpec(Data(), DataSplit::kValidation));
  const Dataset test = LoadDataset(ParseDataSpec(Data(), DataSplit::kTest));
  EXPECT_EQ(train.ImageShape(), (Shape{1, 2, 3}));
  // A tenth of each class's 20, in the order of the files.
  EXPECT_THAT(validation.labels, testing::UnorderedElementsAre(0, 0, 1, 1));
  EXPECT_EQ(train.size(), 36);
  EXPECT_EQ(test.size(), 40);
  std::vector<int> all = Numbers(train);
  const std::vector<int> held_out = Numbers(validation);
  EXPECT_TRUE(std::ranges::is_sorted(all));
  EXPECT_TRUE(std::ranges::is_sorted(held_out));
  all.insert(all.end(), held_out.begin(), held_out.end());
  std::ranges::sort(all);
  std::vector<int> expected(40);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
  for (int64_t i = 0; i < train.size(); ++i) {
    EXPECT_EQ(train.labels[static_cast<size_t>(i)], Numbers(train)[static_cast<size_t>(i)] % 2);
  }
}

// A mirrored digit is no digit; clothes are what they were.
TEST_F(MnistTest, AugmentationIsWhatTheClassesBear) {
  const DataSpec digits = ParseDataSpec(Data("?limit=5"), DataSplit::kTrain);
  EXPECT_EQ(LoadDataset(digits).augmentation, (Augmentation{.flip = false, .shift = 2}));
  DataSpec clothes = digits;
  clothes.format = "fashion-mnist";
  const Dataset dataset = LoadDataset(clothes);
  EXPECT_EQ(dataset.augmentation, (Augmentation{.flip = true, .shift = 2}));
  EXPECT_EQ(Subset(dataset, {1, 2}).augmentation, dataset.augmentation);
  EXPECT_EQ(Dataset().augmentation, Augmentation());
}

TEST_F(MnistTest, LimitTakesTheFirst) {
  const Dataset all = LoadDataset(ParseDataSpec(Data(), DataSplit::kTrain));
  const Dataset five = LoadDataset(ParseDataSpec(Data("?limit=5"), DataSplit::kTrain));
  std::vector<int> first = Numbers(all);
  first.resize(5);
  EXPECT_EQ(Numbers(five), first);
}

TEST_F(MnistTest, PadsWithZeros) {
  const Dataset dataset = LoadDataset(ParseDataSpec(Data("?pad=1&limit=1"), DataSplit::kTest));
  EXPECT_EQ(dataset.ImageShape(), (Shape{1, 4, 5}));
  const auto pixels = dataset.images.values<uint8_t>();
  EXPECT_THAT(std::vector<int>(pixels.begin(), pixels.end()),
              ElementsAre(0, 0, 0, 0, 0, 0, 0, 'a', 'b', 0, 0, 'c', 'd', 'e', 0, 0, 0, 0, 0, 0));
}

TEST_F(MnistTest, PreprocessesAsItWasTold) {
  const Dataset dataset = LoadDataset(ParseDataSpec(Data("?mean=0.2&std=0.5"), DataSplit::kTest));
  const Tensor images = Images(dataset, 3, 2);
  EXPECT_EQ(images.shape(), (Shape{2, 1, 2, 3}));
  EXPECT_NEAR(images.values<float>()[0], (3 / 255.0 - 0.2) / 0.5, 1e-6);
  EXPECT_NEAR(images.values<float>()[7], ('a' / 255.0 - 0.2) / 0.5, 1e-6);
}

TEST_F(MnistTest, RefusesBadFiles) {
  const std::string images = ReadFile(scratch_.path() / kImages);
  const auto with_images = [&](const std::string& bytes) {
    Write(kImages, bytes);
    return LoadingFaultOf(Data());
  };
  EXPECT_EQ(with_images(images), "none");
  for (size_t size = 0; size < images.size(); size += 7) {
    EXPECT_THAT(with_images(images.substr(0, size)), HasSubstr(kImages)) << size;
  }
  EXPECT_THAT(with_images(images + "x"), HasSubstr("longer"));
  EXPECT_THAT(with_images(ReadFile(scratch_.path() / kLabels)), HasSubstr("3 axes"));
  EXPECT_THAT(with_images("\x1f\x8b" + images), HasSubstr(kImages));
  EXPECT_THAT(with_images(Header({0xffffffff, 0xffffffff, 0xffffffff})), HasSubstr("cannot be"));
  EXPECT_THAT(with_images(Header({60000, 1000, 70}) + "few"), HasSubstr("too early"));
  EXPECT_THAT(with_images(Header({0, 2, 3})), HasSubstr("0x2x3"));
  std::filesystem::remove(scratch_.path() / kImages);
  EXPECT_THAT(LoadingFaultOf(Data()), AllOf(HasSubstr(kImages), HasSubstr("no such file")));
}

TEST_F(MnistTest, RefusesBadLabels) {
  Write(kLabels, Header({39}) + std::string(39, '\0'));
  EXPECT_THAT(LoadingFaultOf(Data()), AllOf(HasSubstr("39 labels"), HasSubstr("40 images")));
  Write(kLabels, Header({40}) + std::string(39, '\0') + '\x0a');
  EXPECT_THAT(LoadingFaultOf(Data()), AllOf(HasSubstr("label 10"), HasSubstr("image 39")));
}

TEST(CifarTest, ReadsItsBatches) {
  const ScratchFolder scratch;
  const std::filesystem::path& folder = scratch.path();
  std::string batch;
  for (int i = 0; i < 10'000; ++i) {
    batch += static_cast<char>(i % 10);
    batch += std::string(1024, static_cast<char>(i % 200)) + std::string(2048, '\x07');
  }
  WriteFileAtomically(folder / "test_batch.bin", batch);
  const std::string data = "cifar10:" + folder.string();
  const Dataset dataset = LoadDataset(ParseDataSpec(data, DataSplit::kTest));
  EXPECT_EQ(dataset.images.shape(), (Shape{10'000, 3, 32, 32}));
  EXPECT_EQ(dataset.labels[123], 3);
  EXPECT_EQ(dataset.augmentation, (Augmentation{.flip = true, .shift = 4}));
  EXPECT_EQ(dataset.images.values<uint8_t>()[123 * 3072], 123);
  EXPECT_EQ(dataset.images.values<uint8_t>()[123 * 3072 + 1024], 7);
  WriteFileAtomically(folder / "test_batch.bin", batch.substr(0, 5'000'000));
  EXPECT_THAT(LoadingFaultOf(data + "?split=test"), HasSubstr("test_batch.bin"));
  batch[3073] = 10;
  WriteFileAtomically(folder / "test_batch.bin", batch);
  EXPECT_THAT(LoadingFaultOf(data + "?split=test"), HasSubstr("label 10 of image 1"));
}

// The package dataset-fashion-mnist is among those that tools/install_packages installs.
TEST(FashionMnistTest, IsReadFromGzip) {
  const Dataset test = LoadDataset(ParseDataSpec("fashion-mnist", DataSplit::kTest));
  EXPECT_EQ(test.images.shape(), (Shape{10'000, 1, 28, 28}));
  EXPECT_THAT(std::vector<int>(test.labels.begin(), test.labels.begin() + 6),
              ElementsAre(9, 2, 1, 1, 6, 1));
  std::vector<int> of_class(10);
  for (const int32_t label : test.labels) ++of_class[static_cast<size_t>(label)];
  EXPECT_THAT(of_class, testing::Each(1000));
}

TEST(FashionMnistTest, HoldsOut500OfEachClass) {
  const Dataset validation = LoadDataset(ParseDataSpec("fashion-mnist", DataSplit::kValidation));
  std::vector<int> of_class(10);
  for (const int32_t label : validation.labels) ++of_class[static_cast<size_t>(label)];
  EXPECT_THAT(of_class, testing::Each(500));
  // The same for everybody, for ever: accuracies are compared across machines and versions.
  uint64_t sum = 0;
  for (const uint8_t pixel : validation.images.values<uint8_t>()) sum = sum * 31 + pixel;
  EXPECT_EQ(sum, 8945495953647237986u);
}

TEST(FashionMnistTest, RefusesACutGzip) {
  const ScratchFolder scratch;
  const std::filesystem::path& folder = scratch.path();
  const std::filesystem::path whole = "/usr/share/datasets/fashion-mnist";
  for (const char* name : {"t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"}) {
    const std::string bytes = ReadFile(whole / name);
    WriteFileAtomically(folder / name, std::string_view(bytes).substr(0, bytes.size() / 2));
  }
  EXPECT_THAT(LoadingFaultOf("fashion-mnist:" + folder.string() + "?split=test"),
              HasSubstr("t10k-images-idx3-ubyte.gz"));
}

std::vector<float> Augmented(const Dataset& dataset, int64_t index, const Augmentation& how,
                             uint64_t seed, int64_t epoch) {
  std::vector<float> pixels(static_cast<size_t>(ElementCount(dataset.ImageShape())));
  CopyAugmented(dataset, index, how, seed, epoch, pixels.data());
  return pixels;
}

TEST(AugmentationTest, DependsOnSeedEpochAndIndex) {
  const Dataset dataset = ToyDataset(4, {2, 9, 7}, 1);
  const Augmentation how{.flip = true, .shift = 3, .erase_probability = 0.5};
  const auto once = Augmented(dataset, 1, how, 5, 2);
  EXPECT_EQ(once, Augmented(dataset, 1, how, 5, 2));
  EXPECT_NE(once, Augmented(dataset, 1, how, 5, 3));
  EXPECT_NE(once, Augmented(dataset, 1, how, 6, 2));
}

// Every picture it makes of a ramp is a ramp, shifted or mirrored, with zeros come in.
TEST(AugmentationTest, FlipsAndShifts) {
  Dataset dataset = ToyDataset(1, {1, 1, 6}, 1);
  dataset.preprocessing = {{0}, {1.0f / 255}};
  for (size_t x = 0; x < 6; ++x) dataset.images.values<uint8_t>()[x] = static_cast<uint8_t>(x + 1);
  const auto shifted = [](std::vector<float> ramp, int right) {
    std::vector<float> result(6, 0.0f);
    for (int x = 0; x < 6; ++x) {
      if (x - right >= 0 && x - right < 6) {
        result[static_cast<size_t>(x)] = ramp[static_cast<size_t>(x - right)];
      }
    }
    return result;
  };
  std::vector<std::vector<float>> possible{std::vector<float>(6, 0.0f)};  // shifted down or up
  for (int right = -1; right <= 1; ++right) {
    possible.push_back(shifted({1, 2, 3, 4, 5, 6}, right));
    possible.push_back(shifted({6, 5, 4, 3, 2, 1}, right));
  }
  std::vector<bool> seen(possible.size());
  for (int64_t epoch = 0; epoch < 200; ++epoch) {
    auto pixels = Augmented(dataset, 0, {.flip = true, .shift = 1}, 1, epoch);
    for (float& pixel : pixels) pixel = std::round(pixel);
    const auto found = std::ranges::find(possible, pixels);
    ASSERT_NE(found, possible.end());
    seen[static_cast<size_t>(found - possible.begin())] = true;
  }
  EXPECT_THAT(seen, testing::Each(true));
}

TEST(AugmentationTest, ErasesARectangleOfTheMean) {
  Dataset dataset = ToyDataset(1, {1, 20, 20}, 1);
  dataset.preprocessing.mean = {0.123f};  // which no pixel has
  for (int64_t epoch = 0; epoch < 20; ++epoch) {
    const auto pixels = Augmented(dataset, 0, {.erase_probability = 1}, 1, epoch);
    const int64_t erased = std::ranges::count(pixels, 0.0f);
    EXPECT_GE(erased, 4);
    EXPECT_LE(erased, 130);
  }
  EXPECT_EQ(std::ranges::count(Augmented(dataset, 0, {}, 1, 0), 0.0f), 0);
}

TEST(AugmentationTest, NoneIsTheImageWithItsChannelsLast) {
  const Dataset dataset = ToyDataset(2, {3, 4, 5}, 1);
  const Tensor images = Images(dataset, 1, 1);
  const auto pixels = Augmented(dataset, 1, {}, 1, 0);
  std::vector<float> plain(pixels.size());
  CopyChannelsLast(dataset, 1, plain.data());
  EXPECT_EQ(pixels, plain);
  for (size_t c = 0; c < 3; ++c) {
    for (size_t p = 0; p < 20; ++p) {
      EXPECT_EQ(pixels[p * 3 + c], images.values<float>()[c * 20 + p]);
    }
  }
}

}  // namespace
}  // namespace fettle
