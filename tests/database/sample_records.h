#pragma once

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/database/cost_database.h"

namespace fettle {

// An empty folder that goes with this object, and names in it; in memory where the system has a
// place for that, since waiting for a disk at every commit tests nothing.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    const std::filesystem::path memory = "/dev/shm";
    const bool has_memory = ::access(memory.c_str(), W_OK) == 0;
    const auto parent = has_memory ? memory : std::filesystem::temp_directory_path();
    std::string name = (parent / "fettle-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::string ReadBytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Not EXPECT_EQ of ReadBytes, which would print them.
inline bool Holds(const std::filesystem::path& path, const std::string& bytes) {
  return ReadBytes(path) == bytes;
}

inline void WriteBytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline CostDatabase OpenForWriting(const std::filesystem::path& path) {
  return CostDatabase::Open(path, CostDatabase::Access::kReadWrite);
}

inline CostDatabase OpenForReading(const std::filesystem::path& path) {
  return CostDatabase::Open(path, CostDatabase::Access::kReadOnly);
}

inline Fingerprint Board() {
  Fingerprint board;
  board.cpu_model = "Some \"CPU\" @ 2.1GHz, µ";
  board.isa = {"avx2", "avx512"};
  board.cores = 2;
  board.cache_bytes = {32768, 1048576, 16777216};
  board.memory_bytes = int64_t{8} << 30;
  board.system = "Linux 6.1.0";
  board.governor = "performance";
  board.libraries = {{"onednn", "2.6.3"}, {"openblas", "0.3.21"}};
  return board;
}

inline Fingerprint OtherBoard() {
  Fingerprint board = Board();
  board.cores = 4;
  return board;
}

inline LayerKey ConvKey(int64_t channels, DType dtype = DType::kF32) {
  LayerSpec spec;
  spec.op = Conv{{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 1};
  spec.inputs = {{dtype, {1, channels, 8, 8}}};
  spec.weights = {{dtype, {16, channels, 3, 3}}};
  spec.output = {dtype, {1, 16, 8, 8}};
  return KeyOf(spec);
}

inline Measurement Timed(double median, MeasurementStatus status = MeasurementStatus::kOk) {
  Measurement timed;
  timed.status = status;
  for (int i = -5; i <= 5; ++i) timed.samples_ms.push_back(median * (1 + 0.001 * (i * 7 % 11)));
  timed.latency_ms = MedianInterval(timed.samples_ms);
  timed.cpu_ms = median * 1.5;
  timed.error = 1e-6 / 3;
  timed.workspace_bytes = 4096;
  timed.weight_bytes = 9216;
  return timed;
}

inline Measurement Failed(MeasurementStatus status) {
  Measurement failed;
  failed.status = status;
  failed.detail = "it's \"so\",\nhere";
  return failed;
}

inline CostRecord ConvRecord(int64_t channels, double median, int64_t time = 1'700'000'000) {
  CostRecord record;
  record.task = {ConvKey(channels),   "onednn.conv:jit:avx2", 1,
                 {Layout::kBlocked8}, Layout::kBlocked8,      2,
                 CacheMode::kHot};
  record.measurement = Timed(median);
  record.provenance = {Board(), time, "a test"};
  return record;
}

// Different in every table's columns every so often.
inline std::vector<CostRecord> ManyRecords(int64_t count) {
  std::vector<CostRecord> records;
  for (int64_t i = 0; i < count; ++i) {
    CostRecord record =
        ConvRecord(1 + i % 37, 0.01 * static_cast<double>(1 + i), 1'600'000'000 + i);
    if (i % 3 == 1) record.task.implementation = "openblas.im2col_conv";
    if (i % 5 == 2) record.provenance.fingerprint = OtherBoard();
    if (i % 7 == 3) record.measurement = Failed(MeasurementStatus::kCrashed);
    records.push_back(std::move(record));
  }
  return records;
}

inline NetworkRecord SampleNetwork(const std::string& plan, double median) {
  NetworkRecord record;
  record.plan = plan;
  record.network = "resnet 'tiny'";
  record.threads = 2;
  record.measurement = Timed(median);
  record.measurement.mode = CacheMode::kInNetwork;
  record.planned_bytes = 123456;
  record.peak_bytes = 130000;
  record.energy_mj = Interval{2.5, 2.25, 2.75};
  record.provenance = {Board(), 1'700'000'123, "a test"};
  return record;
}

// Calls it and returns the Error it throws; `kind` has to be its kind.
template <typename Call>
std::string MessageOf(ErrorKind kind, const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.kind() == kind
               ? error.what()
               : Text("kind ", static_cast<int>(error.kind()), " instead: ", error.what());
  }
  return "nothing thrown";
}

}  // namespace fettle
