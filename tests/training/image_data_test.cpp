// Datasets of image files and arrays, made here; also truncated, altered and hostile ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <jpeglib.h>
#include <png.h>
#include <unistd.h>
#include <zip.h>

#include <cstdio>
#include <filesystem>
#include <set>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/core/npy.h"
#include "fettle/core/random.h"
#include "fettle/training/data/data_splits.h"
#include "fettle/training/data/dataset_files.h"
#include "fettle/training/data/image.h"
#include "tests/support/fault.h"
#include "tests/support/scratch_folder.h"

namespace fettle {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

namespace fs = std::filesystem;

Image Plain(int64_t height, int64_t width, int64_t channels, uint8_t value) {
  Image image{height, width, channels, {}};
  image.pixels.assign(static_cast<size_t>(height * width * channels), value);
  return image;
}

Image Noise(int64_t height, int64_t width, int64_t channels) {
  Image image = Plain(height, width, channels, 0);
  Random random(1);
  for (uint8_t& pixel : image.pixels) pixel = static_cast<uint8_t>(random.Below(256));
  return image;
}

// `format`: libpng's, of the pixels given.
std::string PngOf(int64_t height, int64_t width, png_uint_32 format, const void* pixels) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.height = static_cast<png_uint_32>(height);
  png.width = static_cast<png_uint_32>(width);
  png.format = format;
  png_alloc_size_t size = 0;
  png_image_write_get_memory_size(png, size, 0, pixels, 0, nullptr);
  std::string bytes(size, '\0');
  EXPECT_NE(png_image_write_to_memory(&png, bytes.data(), &size, 0, pixels, 0, nullptr), 0);
  bytes.resize(size);
  return bytes;
}

std::string PngOf(const Image& image) {
  return PngOf(image.height, image.width, image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB,
               image.pixels.data());
}

std::string JpegOf(const Image& image, J_COLOR_SPACE space, bool is_progressive = false) {
  jpeg_compress_struct encoder;
  jpeg_error_mgr errors;
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&encoder, &buffer, &size);
  encoder.image_width = static_cast<JDIMENSION>(image.width);
  encoder.image_height = static_cast<JDIMENSION>(image.height);
  encoder.input_components = static_cast<int>(image.channels);
  encoder.in_color_space = space;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, 95, TRUE);
  if (is_progressive) jpeg_simple_progression(&encoder);
  jpeg_start_compress(&encoder, TRUE);
  while (encoder.next_scanline < encoder.image_height) {
    auto* row = const_cast<unsigned char*>(image.pixels.data()) +
                encoder.next_scanline * image.width * image.channels;
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  std::string bytes(reinterpret_cast<char*>(buffer), size);
  jpeg_destroy_compress(&encoder);
  free(buffer);
  return bytes;
}

std::string DecodingFaultOf(const std::string& bytes) {
  return FaultOf([&] { DecodeImage(bytes, 3, "a file"); });
}

// --- decoding

TEST(ImageTest, PngIsReadExactly) {
  const Image image = Noise(5, 7, 3);
  const Image read = DecodeImage(PngOf(image), 3, "x");
  EXPECT_EQ(read.height, 5);
  EXPECT_EQ(read.width, 7);
  EXPECT_EQ(read.pixels, image.pixels);
  const Image grey = Noise(4, 4, 1);
  EXPECT_EQ(DecodeImage(PngOf(grey), 1, "x").pixels, grey.pixels);
  const Image in_colour = DecodeImage(PngOf(grey), 3, "x");
  EXPECT_EQ(in_colour.pixels[0], grey.pixels[0]);
  EXPECT_EQ(in_colour.pixels[2], grey.pixels[0]);
}

TEST(ImageTest, WhatIsTransparentStandsOnBlack) {
  const uint8_t pixels[] = {200, 100, 50, 255, 200, 100, 50, 0};
  EXPECT_THAT(DecodeImage(PngOf(1, 2, PNG_FORMAT_RGBA, pixels), 3, "x").pixels,
              ElementsAre(200, 100, 50, 0, 0, 0));
}

TEST(ImageTest, SixteenBitsBecomeEight) {
  const uint16_t pixels[] = {0, 65535};  // linear
  const Image image = DecodeImage(PngOf(1, 2, PNG_FORMAT_LINEAR_Y, pixels), 1, "x");
  EXPECT_THAT(image.pixels, ElementsAre(0, 255));
}

TEST(ImageTest, JpegIsReadInColourAndGrey) {
  for (const bool is_progressive : {false, true}) {
    const std::string bytes = JpegOf(Plain(20, 30, 3, 90), JCS_RGB, is_progressive);
    const Image colour = DecodeImage(bytes, 3, "x");
    EXPECT_EQ(colour.height, 20);
    EXPECT_EQ(colour.width, 30);
    for (const uint8_t pixel : colour.pixels) EXPECT_NEAR(pixel, 90, 2);
    for (const uint8_t pixel : DecodeImage(bytes, 1, "x").pixels) EXPECT_NEAR(pixel, 90, 2);
  }
  const std::string grey = JpegOf(Plain(9, 9, 1, 40), JCS_GRAYSCALE);
  EXPECT_EQ(DecodeImage(grey, 3, "x").pixels.size(), 9u * 9 * 3);
}

TEST(ImageTest, FourInksBecomeColours) {
  Image inks{8, 8, 4, {}};  // inverted: no cyan, half of magenta, all yellow, no black
  for (int i = 0; i < 64; ++i) {
    for (const uint8_t ink : {255, 128, 0, 255}) inks.pixels.push_back(ink);
  }
  const Image image = DecodeImage(JpegOf(inks, JCS_CMYK), 3, "x");
  EXPECT_NEAR(image.pixels[0], 255, 3);
  EXPECT_NEAR(image.pixels[1], 128, 3);
  EXPECT_NEAR(image.pixels[2], 0, 3);
  EXPECT_EQ(DecodeImage(JpegOf(inks, JCS_CMYK), 1, "x").pixels.size(), 64u);
}

TEST(ImageTest, EveryPrefixIsRefusedAndEveryAlterationSurvived) {
  const Image image = Noise(12, 12, 3);
  for (const std::string& bytes :
       {PngOf(image), JpegOf(image, JCS_RGB), JpegOf(image, JCS_RGB, true)}) {
    // The last bytes are checks and an end mark, without which the picture is whole.
    for (size_t length = 0; length + 20 < bytes.size(); ++length) {
      EXPECT_THAT(DecodingFaultOf(bytes.substr(0, length)), HasSubstr("a file: ")) << length;
    }
    for (size_t place = 0; place < bytes.size(); ++place) {
      for (const int change : {1, 128, 255}) {
        std::string altered = bytes;
        altered[place] = static_cast<char>(altered[place] ^ change);
        DecodingFaultOf(altered);  // decoded or refused; no crash, no hang
      }
    }
  }
}

TEST(ImageTest, RefusesHostileSizesAndOtherFiles) {
  std::string png = PngOf(Noise(4, 4, 3));
  png.replace(16, 8, std::string("\x00\x0f\xff\xff\x00\x0f\xff\xff", 8));  // its size
  EXPECT_THAT(DecodingFaultOf(png), HasSubstr("PNG"));
  std::string jpeg = JpegOf(Noise(8, 8, 3), JCS_RGB);
  const size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, "\xff\xf0\xff\xf0");
  EXPECT_THAT(DecodingFaultOf(jpeg), HasSubstr("JPEG"));
  EXPECT_THAT(DecodingFaultOf("GIF89a"), HasSubstr("neither JPEG nor PNG"));
  EXPECT_THAT(DecodingFaultOf(""), HasSubstr("neither"));
}

// --- resizing

TEST(ResizeTest, KeepsTheAspectAndConstants) {
  const Image wide = Resized(Plain(10, 25, 3, 77), 4);
  EXPECT_EQ(wide.height, 4);
  EXPECT_EQ(wide.width, 10);
  EXPECT_THAT(wide.pixels, testing::Each(77));
  const Image tall = Resized(Plain(5, 4, 1, 3), 8);
  EXPECT_EQ(tall.height, 10);
  EXPECT_EQ(tall.width, 8);
  EXPECT_THAT(tall.pixels, testing::Each(3));
}

// Halved, a pixel is the mean of four with weights 1/8, 3/8, 3/8, 1/8, those beyond the edge left
// out and the rest made up for.
TEST(ResizeTest, HalvesWithATriangle) {
  Image row{4, 4, 1, {}};
  for (int y = 0; y < 4; ++y) {
    for (const uint8_t pixel : {0, 70, 140, 210}) row.pixels.push_back(pixel);
  }
  const Image half = Resized(row, 2);
  // (3 * 0 + 3 * 70 + 140) / 7 = 50; its mirror image is 210 - 50.
  EXPECT_THAT(half.pixels, ElementsAre(50, 160, 50, 160));
}

// Doubled, it is interpolated between the centres of pixels.
TEST(ResizeTest, DoublesLinearly) {
  Image row{2, 2, 1, {0, 100, 0, 100}};
  EXPECT_THAT(Resized(row, 4).pixels,
              ElementsAre(0, 25, 75, 100, 0, 25, 75, 100, 0, 25, 75, 100, 0, 25, 75, 100));
}

TEST(ResizeTest, CropsTheMiddle) {
  Image image{3, 4, 1, {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23}};
  EXPECT_THAT(CentreCrop(image, 2).pixels, ElementsAre(1, 2, 11, 12));
  EXPECT_THAT(CentreCrop(image, 1).pixels, ElementsAre(12));  // as round(1.5) is 2
}

// --- splits

TEST(SplitsTest, AreDisjointFixedAndOfEachClass) {
  std::vector<int32_t> labels;
  for (int i = 0; i < 400; ++i) labels.push_back(i % 4);
  const auto splits = SplitOfEach(labels, 400, 4);
  EXPECT_EQ(splits, SplitOfEach(labels, 400, 4));
  for (int32_t label = 0; label < 4; ++label) {
    int test = 0, validation = 0;
    for (size_t i = 0; i < splits.size(); ++i) {
      if (labels[i] != label) continue;
      test += splits[i] == DataSplit::kTest ? 1 : 0;
      validation += splits[i] == DataSplit::kValidation ? 1 : 0;
    }
    EXPECT_EQ(test, 10);
    EXPECT_EQ(validation, 10);
  }
  EXPECT_EQ(std::ranges::count(SplitOfEach({}, 50, 0), DataSplit::kTest), 5);
}

// --- folders

class FilesTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& bytes) const {
    fs::create_directories((folder_ / name).parent_path());
    WriteFileAtomically(folder_ / name, bytes);
  }
  // A picture all of one value.
  void Picture(const std::string& name, int value) const {
    Write(name, PngOf(Plain(6, 6, 3, static_cast<uint8_t>(value))));
  }
  Dataset Load(const std::string& options, DataSplit split = DataSplit::kTrain) const {
    return LoadDataset(ParseDataSpec("images:" + folder_.string() + options, split));
  }
  std::string FaultOfLoad(const std::string& options = "?resize=4&crop=4",
                          DataSplit split = DataSplit::kTrain) const {
    return FaultOf([&] { Load(options, split); });
  }
  static std::vector<int> Values(const Dataset& dataset) {
    std::vector<int> values;
    const int64_t bytes = ElementCount(dataset.ImageShape());
    for (int64_t i = 0; i < dataset.size(); ++i) {
      values.push_back(dataset.images.values<uint8_t>()[static_cast<size_t>(i * bytes)]);
    }
    return values;
  }

  const ScratchFolder scratch_;
  const fs::path folder_ = scratch_.path();
};

TEST_F(FilesTest, AFolderForEachClassOfEachSplit) {
  Picture("train/dog/a.png", 1);
  Picture("train/cat/deep/b.PNG", 2);
  Picture("train/cat/c.png", 3);
  Write("train/cat/notes.txt", "no picture");
  Write("train/cat/.hidden.png", "no picture either");
  Picture("val/cat/d.png", 4);
  Picture("test/dog/e.png", 5);
  const Dataset train = Load("?resize=4&crop=2");
  EXPECT_EQ(train.images.shape(), (Shape{3, 3, 2, 2}));
  EXPECT_EQ(train.num_classes, 2);
  EXPECT_THAT(train.labels, ElementsAre(0, 0, 1));  // cat before dog
  EXPECT_THAT(Values(train), ElementsAre(3, 2, 1));
  EXPECT_EQ(train.preprocessing.resize, 4);
  EXPECT_EQ(train.preprocessing.crop, 2);
  EXPECT_THAT(Values(Load("?resize=4", DataSplit::kValidation)), ElementsAre(4));
  const Dataset test = Load("?resize=4&channels=1", DataSplit::kTest);
  EXPECT_EQ(test.ImageShape(), (Shape{1, 4, 4}));
  EXPECT_THAT(test.labels, ElementsAre(1));
  EXPECT_EQ(Load("", DataSplit::kTest).ImageShape(), (Shape{3, 224, 224}));
}

TEST_F(FilesTest, ClassesThatAreNumbersAreTheLabels) {
  for (const char* name : {"10", "9", "2"})
    Picture(Text("train/", name, "/a.png"), std::stoi(name));
  const Dataset train = Load("?resize=4");
  EXPECT_THAT(Values(train), ElementsAre(10, 2, 9));  // in the order of the paths
  EXPECT_THAT(train.labels, ElementsAre(10, 2, 9));
  EXPECT_EQ(train.num_classes, 11);
  EXPECT_THAT(train.classes, testing::IsEmpty());
  EXPECT_EQ(Load("?resize=4&classes=20").num_classes, 20);
  EXPECT_THAT(FaultOfLoad("?classes=10"), AllOf(HasSubstr("classes=10"), HasSubstr("11")));
  Write("labels.csv", "train/9/a.png,3\ntrain/2/a.png,0\n");
  EXPECT_EQ(Load("?resize=4&split=train").labels, (std::vector<int32_t>{3, 0}));
}

TEST_F(FilesTest, AClassWithoutImagesKeepsItsNumber) {
  Picture("train/ape/a.png", 1);
  Picture("train/cat/a.png", 2);
  fs::create_directories(folder_ / "train/bee");
  fs::create_directories(folder_ / "test/dog");
  const Dataset train = Load("?resize=4");
  EXPECT_EQ(train.num_classes, 4);
  EXPECT_THAT(train.labels, ElementsAre(0, 2));
  EXPECT_THAT(train.classes, ElementsAre("ape", "bee", "cat", "dog"));
  EXPECT_THAT(FaultOfLoad("?classes=9"), HasSubstr("classes.txt"));
}

TEST_F(FilesTest, AListOfClassesTellsTheirOrder) {
  Picture("train/ape/a.png", 1);
  Picture("train/10/a.png", 2);
  Write("classes.txt", "zebra\r\n10\n\nape\n");
  const Dataset train = Load("?resize=4");
  EXPECT_EQ(train.num_classes, 3);
  EXPECT_THAT(train.labels, ElementsAre(1, 2));
  EXPECT_THAT(train.classes, ElementsAre("zebra", "10", "ape"));
  Write("classes.txt", "zebra\nape\n");
  EXPECT_THAT(FaultOfLoad(), AllOf(HasSubstr("classes.txt"), HasSubstr("'10'")));
  Write("classes.txt", "ape\n10\nape\n");
  EXPECT_THAT(FaultOfLoad(), AllOf(HasSubstr("classes.txt"), HasSubstr("'ape' twice")));
}

TEST_F(FilesTest, SizeIsResize) {
  Picture("train/ape/a.png", 1);
  EXPECT_EQ(Load("?size=5&crop=4&layout=nchw").preprocessing.resize, 5);
  EXPECT_THAT(FaultOfLoad("?layout=nhwc"), HasSubstr("nchw"));
}

TEST_F(FilesTest, RefusesWhatIsNoFileAndWhatCannotBeRead) {
  Picture("train/ape/deep/a.png", 1);
  fs::create_symlink("nowhere", folder_ / "train/ape/b.png");
  EXPECT_THAT(FaultOfLoad(), AllOf(HasSubstr("ape/b.png"), HasSubstr("leads nowhere")));
  fs::remove(folder_ / "train/ape/b.png");
  fs::create_directory_symlink("..", folder_ / "train/ape/circle");
  EXPECT_EQ(Load("?resize=4").size(), 1);
  if (geteuid() == 0) return;  // root may read everything
  fs::permissions(folder_ / "train/ape/deep", fs::perms::none);
  EXPECT_THAT(FaultOfLoad(), AllOf(HasSubstr("ape/deep"), HasSubstr("cannot be read")));
  fs::permissions(folder_ / "train/ape/deep", fs::perms::owner_all);
}

TEST_F(FilesTest, WithoutSplitsTheyAreMadeAndDisjoint) {
  for (int i = 0; i < 60; ++i) Picture(Text(i % 2 == 0 ? "a/" : "b/", i, ".png"), i);
  std::multiset<int> all;
  for (const DataSplit split : {DataSplit::kTrain, DataSplit::kValidation, DataSplit::kTest}) {
    const Dataset dataset = Load("?resize=4", split);
    for (const int value : Values(dataset)) all.insert(value);
    EXPECT_EQ(dataset.size(), split == DataSplit::kTrain ? 48 : 6);
    for (int64_t i = 0; i < dataset.size(); ++i) {
      EXPECT_EQ(dataset.labels[static_cast<size_t>(i)],
                Values(dataset)[static_cast<size_t>(i)] % 2);
    }
  }
  EXPECT_EQ(all.size(), 60u);
  EXPECT_EQ(std::set<int>(all.begin(), all.end()).size(), 60u);
}

TEST_F(FilesTest, ASampleIsDrawnBeforeAnythingIsDecoded) {
  for (int i = 0; i < 40; ++i) Picture(Text("train/a/", i + 10, ".png"), i);
  Picture("validation/a/x.png", 99);
  const DataSpec spec =
      ParseDataSpec("images:" + folder_.string() + "?resize=4", DataSplit::kTrain);
  const Dataset sample = LoadDataset(spec, DataSample{7, 3});
  EXPECT_EQ(sample.size(), 7);
  EXPECT_TRUE(std::ranges::is_sorted(Values(sample)));
  EXPECT_EQ(Values(sample), Values(LoadDataset(spec, DataSample{7, 3})));
  EXPECT_NE(Values(sample), Values(LoadDataset(spec, DataSample{7, 4})));
  EXPECT_EQ(LoadDataset(spec, DataSample{100, 3}).size(), 40);
}

TEST_F(FilesTest, ImagesAloneAreUnlabelled) {
  for (int i = 0; i < 20; ++i) Picture(Text(i + 10, ".png"), i);
  const Dataset train = Load("?resize=4");
  EXPECT_FALSE(train.is_labelled());
  EXPECT_EQ(train.num_classes, 0);
  EXPECT_EQ(train.size(), 16);
}

TEST_F(FilesTest, AListOfLabels) {
  Picture("p/one.png", 1);
  Picture("p/two, or \"2\".png", 2);
  Picture("three.png", 3);
  Write("labels.csv",
        "path,label,split\r\np/one.png,zebra,train\r\n\"p/two, or \"\"2\"\".png\",ape,train\n\n"
        "three.png,ape,test\n");
  const Dataset train = Load("?resize=4&split=train");
  EXPECT_EQ(train.num_classes, 2);
  // Held out for validation is a tenth of each class: none of so few.
  EXPECT_THAT(Values(train), ElementsAre(1, 2));
  EXPECT_THAT(train.labels, ElementsAre(1, 0));
  EXPECT_THAT(Load("?resize=4", DataSplit::kTest).labels, ElementsAre(0));
  EXPECT_THAT(FaultOfLoad("?resize=4", DataSplit::kValidation), HasSubstr("no image in split"));
}

TEST_F(FilesTest, RefusesBadLists) {
  Picture("a.png", 1);
  const auto fault = [&](const std::string& csv) {
    Write("labels.csv", csv);
    return FaultOfLoad();
  };
  EXPECT_THAT(fault("../a.png,x\n"), AllOf(HasSubstr("labels.csv: line 1"), HasSubstr("out of")));
  EXPECT_THAT(fault("/etc/passwd,x\n"), HasSubstr("out of"));
  EXPECT_THAT(fault("a.png,x\nb.png,x\n"), AllOf(HasSubstr("line 2"), HasSubstr("'b.png'")));
  EXPECT_THAT(fault("a.png\n"), HasSubstr("path,label"));
  EXPECT_THAT(fault("a.png,\n"), HasSubstr("path,label"));
  EXPECT_THAT(fault("a.png,x,train,y\n"), HasSubstr("path,label"));
  EXPECT_THAT(fault("a.png,x,all\n"), HasSubstr("'all'"));
  EXPECT_THAT(fault("a.png,x,train\na.png,x\n"), HasSubstr("either all"));
  EXPECT_THAT(fault("\"a.png,x\n"), HasSubstr("quote"));
  EXPECT_THAT(fault(""), HasSubstr("no images"));
  EXPECT_THAT(fault("path,label\n"), HasSubstr("no images"));
}

TEST_F(FilesTest, RefusesBadFolders) {
  EXPECT_THAT(FaultOfLoad(), HasSubstr("holds no images"));
  Picture("train/a/good.png", 1);
  EXPECT_THAT(FaultOfLoad("?resize=4", DataSplit::kTest), HasSubstr("no test split"));
  EXPECT_THAT(FaultOfLoad("?resize=4&crop=5"), HasSubstr("crop=5"));
  Write("train/a/bad.jpg", "\xff\xd8 is no picture");
  EXPECT_THAT(FaultOfLoad(), AllOf(HasSubstr("bad.jpg"), HasSubstr("damaged JPEG")));
  Write("train/a/bad.jpg", JpegOf(Plain(1, 60'000, 1, 0), JCS_GRAYSCALE));
  EXPECT_THAT(FaultOfLoad("?resize=300&crop=300"), HasSubstr("cannot be resized"));
  // Of several faults that of the first file is told.
  Write("train/a/0.png", "no");
  EXPECT_THAT(FaultOfLoad(), HasSubstr("0.png"));
}

// --- arrays

class NpzTest : public FilesTest {
 protected:
  // Members of this content, compressed.
  void Archive(const std::vector<std::pair<std::string, std::string>>& members) const {
    fs::remove(file_);
    int code = 0;
    zip_t* const archive = zip_open(file_.c_str(), ZIP_CREATE, &code);
    for (const auto& [name, bytes] : members) {
      zip_source_t* const source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
      zip_file_add(archive, (name + ".npy").c_str(), source, 0);
    }
    ASSERT_EQ(zip_close(archive), 0);
  }
  Dataset Load(DataSplit split, const std::string& options = "") const {
    return LoadDataset(ParseDataSpec("npz:" + file_.string() + options, split));
  }
  std::string Fault(const std::string& options = "", DataSplit split = DataSplit::kTrain) const {
    return FaultOf([&] { Load(split, options); });
  }
  static std::string Bytes(const Shape& shape) {
    Tensor tensor(TensorType{DType::kU8, shape});
    uint8_t next = 0;
    for (uint8_t& value : tensor.values<uint8_t>()) value = next++;
    return NpyBytes(tensor);
  }
  static std::string Labels(const std::vector<int64_t>& labels) {
    return NpyBytes(
        Tensor::Of<int64_t>(DType::kI64, {static_cast<int64_t>(labels.size())}, labels));
  }

  const fs::path file_ = folder_ / "data.npz";
};

TEST_F(NpzTest, ArraysForEachSplit) {
  Archive({{"x_train", Bytes({2, 4, 5, 3})},
           {"y_train", Labels({1, 0})},
           {"x_val", Bytes({1, 4, 5, 3})},
           {"y_val", Labels({1})},
           {"x_test", Bytes({3, 4, 5, 3})},
           {"y_test", Labels({2, 1, 0})}});
  const Dataset train = Load(DataSplit::kTrain);
  EXPECT_EQ(train.images.shape(), (Shape{2, 3, 4, 5}));
  EXPECT_THAT(train.labels, ElementsAre(1, 0));
  // The second pixel's first channel.
  EXPECT_EQ(train.images.values<uint8_t>()[1], 3);
  EXPECT_EQ(Load(DataSplit::kValidation).size(), 1);
  EXPECT_THAT(Load(DataSplit::kTest).labels, ElementsAre(2, 1, 0));
}

TEST_F(NpzTest, OnePieceIsSplitUp) {
  std::vector<int64_t> labels;
  for (int i = 0; i < 40; ++i) labels.push_back(i % 2);
  Archive({{"images", Bytes({40, 1, 2})}, {"labels", Labels(labels)}});
  std::set<int> all;
  for (const DataSplit split : {DataSplit::kTrain, DataSplit::kValidation, DataSplit::kTest}) {
    const Dataset dataset = Load(split);
    EXPECT_EQ(dataset.ImageShape(), (Shape{1, 1, 2}));
    for (const int value : Values(dataset)) all.insert(value);
    for (int64_t i = 0; i < dataset.size(); ++i) {
      EXPECT_EQ(dataset.labels[static_cast<size_t>(i)],
                Values(dataset)[static_cast<size_t>(i)] / 2 % 2);
    }
  }
  EXPECT_EQ(all.size(), 40u);
}

TEST_F(NpzTest, FloatsAreTakenAsTheyAre) {
  const std::vector<double> pixels = {-1.5, 0.25, 3, 4, 5, 6, 7, 8};
  Archive({{"x_train", NpyBytes(Tensor::Of<double>(DType::kF64, {2, 1, 2, 2}, pixels))}});
  const Dataset dataset = Load(DataSplit::kTrain);
  EXPECT_FALSE(dataset.is_labelled());
  const Tensor images = Images(dataset, 0, 1);
  EXPECT_FLOAT_EQ(images.values<float>()[0], -1.5f);
  EXPECT_FLOAT_EQ(images.values<float>()[1], 0.25f);
  const Dataset scaled = Load(DataSplit::kTrain, "?scale=2&mean=1&std=0.5&pad=1");
  EXPECT_EQ(scaled.ImageShape(), (Shape{1, 4, 4}));
  EXPECT_FLOAT_EQ(Images(scaled, 0, 1).values<float>()[5], (-0.75f - 1) / 0.5f);
}

TEST_F(NpzTest, TheLayoutIsToldOrAskedFor) {
  Archive({{"x_train", Bytes({2, 3, 4, 3})}});
  EXPECT_THAT(Fault(), HasSubstr("layout=nchw"));
  EXPECT_EQ(Load(DataSplit::kTrain, "?layout=nchw").ImageShape(), (Shape{3, 4, 3}));
  EXPECT_EQ(Load(DataSplit::kTrain, "?layout=nhwc").ImageShape(), (Shape{3, 3, 4}));
}

TEST_F(NpzTest, RefusesBadArrays) {
  EXPECT_THAT(Fault(), HasSubstr("data.npz"));
  Write("data.npz", "no archive");
  EXPECT_THAT(Fault(), HasSubstr("npz archive"));
  Archive({{"x", Bytes({2, 4, 5, 3})}});
  EXPECT_THAT(Fault(), HasSubstr("x_train"));
  Archive({{"x_train", Bytes({2, 4, 5, 3})}, {"y_train", Labels({1})}});
  EXPECT_THAT(Fault(), AllOf(HasSubstr("1 labels"), HasSubstr("2 images")));
  Archive({{"x_train", Bytes({2, 4, 5, 3})}, {"y_train", Labels({1, -1})}});
  EXPECT_THAT(Fault(), HasSubstr("label -1"));
  Archive({{"x_train", Bytes({2, 4, 5, 3})}, {"y_train", Bytes({2, 4, 5, 3})}});
  EXPECT_THAT(Fault(), HasSubstr("labels"));
  Archive({{"x_train", Bytes({20})}});
  EXPECT_THAT(Fault(), HasSubstr("three or four axes"));
  Archive({{"x_train", Labels({1})}});
  EXPECT_THAT(Fault(), HasSubstr("not understood"));
  Archive({{"x_train", "no array"}});
  EXPECT_THAT(Fault(), HasSubstr("x_train"));
  Archive({{"x_train", Bytes({2, 4, 5, 3})}});
  EXPECT_THAT(Fault("", DataSplit::kTest), HasSubstr("x_test"));
}

// A few kilobytes that inflate to 64 MB, of which the header knows nothing.
TEST_F(NpzTest, InflatesNoMoreThanTheHeaderSays) {
  Archive({{"x_train", Bytes({2, 4, 5, 3}) + std::string(64 << 20, '\0')}});
  EXPECT_LT(fs::file_size(file_), 1u << 20);
  EXPECT_THAT(Fault(), AllOf(HasSubstr("x_train.npy"), HasSubstr("its size")));
  std::string huge = Bytes({2, 4, 5, 3});
  huge.replace(huge.find("(2, 4"), 5, "(2" + std::string(9, '0') + ", 4");
  Archive({{"x_train", huge}});
  EXPECT_THAT(Fault(), HasSubstr("x_train"));
}

TEST_F(NpzTest, ClassesMayBeTold) {
  Archive({{"x_train", Bytes({2, 4, 5, 3})}, {"y_train", Labels({0, 2})}});
  EXPECT_EQ(Load(DataSplit::kTrain).num_classes, 3);
  EXPECT_EQ(Load(DataSplit::kTrain, "?classes=10").num_classes, 10);
  EXPECT_THAT(Fault("?classes=2"), HasSubstr("classes=2"));
  Archive({{"x_train", Bytes({2, 4, 5, 3})}, {"y_train", Labels({0, 1 << 20})}});
  EXPECT_THAT(Fault(), HasSubstr("label 1048576"));
}

TEST_F(NpzTest, ASplitHasTheClassesOfAll) {
  Archive({{"x_train", Bytes({4, 4, 5, 3})},
           {"y_train", Labels({0, 1, 2, 3})},
           {"x_test", Bytes({2, 4, 5, 3})},
           {"y_test", Labels({0, 0})}});
  EXPECT_EQ(Load(DataSplit::kTrain).num_classes, 4);
  EXPECT_EQ(Load(DataSplit::kTest).num_classes, 4);
}

TEST_F(NpzTest, RefusesImagesWithoutPixelsHoweverMany) {
  for (const Shape& shape :
       {Shape{1'000'000'000'000, 0, 3}, Shape{1'000'000'000'000, 0, 3, 3}, Shape{0, 4, 4}}) {
    Archive({{"x_train", Bytes(shape)}});
    EXPECT_THAT(Fault(), HasSubstr("none of them empty")) << ShapeText(shape);
  }
}

TEST_F(NpzTest, EveryPrefixIsRefusedAndEveryAlterationSurvived) {
  Archive({{"x_train", Bytes({2, 2, 2, 3})}, {"y_train", Labels({1, 0})}});
  const std::string bytes = ReadFile(file_);
  for (size_t length = 0; length < bytes.size(); ++length) {
    Write("data.npz", bytes.substr(0, length));
    EXPECT_THAT(Fault(), HasSubstr("data.npz")) << length;
  }
  for (size_t place = 0; place < bytes.size(); ++place) {
    std::string altered = bytes;
    altered[place] = static_cast<char>(altered[place] ^ 0x55);
    Write("data.npz", altered);
    Fault();  // read or refused; no crash, no hang
  }
}

// --- CIFAR-100

TEST_F(FilesTest, Cifar100HasTwoLabels) {
  std::string bytes;
  for (int i = 0; i < 10'000; ++i) {
    bytes += static_cast<char>(i % 20);
    bytes += static_cast<char>(i % 100);
    bytes += std::string(3072, static_cast<char>(i % 200));
  }
  Write("test.bin", bytes);
  const std::string data = "cifar100:" + folder_.string() + "?split=test";
  const Dataset fine = LoadDataset(ParseDataSpec(data, DataSplit::kTest));
  EXPECT_EQ(fine.num_classes, 100);
  EXPECT_EQ(fine.labels[123], 23);
  EXPECT_EQ(fine.images.values<uint8_t>()[123 * 3072], 123);
  const Dataset coarse = LoadDataset(ParseDataSpec(data + "&labels=coarse", DataSplit::kTest));
  EXPECT_EQ(coarse.num_classes, 20);
  EXPECT_EQ(coarse.labels[123], 3);
  bytes.resize(bytes.size() / 2);
  Write("test.bin", bytes);
  EXPECT_THAT(FaultOf([&] { LoadDataset(ParseDataSpec(data, DataSplit::kTest)); }),
              HasSubstr("test.bin"));
}

}  // namespace
}  // namespace fettle
