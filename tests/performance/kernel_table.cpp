// Our own kernels layer by layer, against the machine's peak, the FP64 reference and the fastest of
// the libraries' implementations.
//
//   kernel_table [SECONDS [NAME]] > FILE.md
//
// For each layer of the list below, in f32 and in bf16, all implementations take turns for SECONDS
// (1); then the fastest of ours and the fastest of others, for as long again. The table has the
// medians of that, the share of the peak (peak.h) that the layer's multiply-adds (by weights that
// are not zero) come to, and the interval of the ratio of the others' time to ours, round by round.
// Only layers whose name begins with NAME.
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/threads.h"
#include "fettle/runtime/precision.h"
#include "tests/performance/benchmark_main.h"
#include "tests/performance/layer_entry.h"
#include "tests/performance/peak.h"

namespace fettle {
namespace {

struct Shape2d {
  int64_t inputs, outputs, extent, kernel, stride = 1, groups = 1;
  double density = 1;
  int64_t sparse_block = 1;
};

struct NamedLayer {
  std::string name;
  Shape2d shape;
};

const std::vector<NamedLayer>& Layers() {
  static const std::vector<NamedLayer> layers = {
      {"3x3", {16, 16, 32, 3}},
      {"3x3", {64, 64, 56, 3}},
      {"3x3", {128, 128, 28, 3}},
      {"3x3", {256, 256, 14, 3}},
      {"3x3", {512, 512, 7, 3}},
      {"5x5", {16, 64, 28, 5}},
      {"5x5", {64, 192, 27, 5}},
      {"7x7", {64, 64, 56, 7}},
      {"grouped 3x3, 4 a group", {128, 128, 56, 3, 1, 32}},
      {"grouped 3x3, 8 a group", {256, 256, 28, 3, 1, 32}},
      {"grouped 3x3, 16 a group", {512, 512, 14, 3, 1, 32}},
      {"grouped 3x3, 32 a group", {1024, 1024, 7, 3, 1, 32}},
      {"grouped 3x3, 4 a group, stride 2", {128, 128, 56, 3, 2, 32}},
      {"grouped 3x3, 8 a group, stride 2", {256, 256, 56, 3, 2, 32}},
      {"grouped 1x1, 4 groups", {272, 272, 28, 1, 1, 4}},
      {"1x1, small", {24, 144, 56, 1}},
      {"depthwise 3x3", {144, 144, 56, 3, 1, 144}},
      {"depthwise 3x3", {512, 512, 14, 3, 1, 512}},
      {"depthwise 3x3, stride 2", {144, 144, 56, 3, 2, 144}},
      {"depthwise 5x5", {240, 240, 28, 5, 1, 240}},
      {"sparse 1x1", {256, 64, 56, 1, 1, 1, 0.1}},
      {"sparse 1x1", {256, 1024, 14, 1, 1, 1, 0.1}},
      {"sparse 1x1, blocks of 8", {256, 1024, 14, 1, 1, 1, 0.2, 8}},
      {"sparse 3x3", {64, 64, 56, 3, 1, 1, 0.1}},
      {"sparse 3x3", {256, 256, 14, 3, 1, 1, 0.1}},
  };
  return layers;
}

// Same padding, with bias, in f32.
LayerSpec SpecOf(const Shape2d& shape) {
  Conv conv;
  const int64_t pad = shape.kernel / 2;
  conv.window = {
      {shape.kernel, shape.kernel}, {shape.stride, shape.stride}, {1, 1}, {pad, pad}, {pad, pad}};
  conv.groups = shape.groups;
  const int64_t extent = WindowOutput(conv.window, 0, shape.extent);
  LayerSpec spec;
  spec.op = conv;
  spec.inputs = {{DType::kF32, {1, shape.inputs, shape.extent, shape.extent}}};
  spec.weights = {
      {DType::kF32, {shape.outputs, shape.inputs / shape.groups, shape.kernel, shape.kernel}},
      {DType::kF32, {shape.outputs}}};
  spec.output = {DType::kF32, {1, shape.outputs, extent, extent}};
  spec.density = shape.density;
  spec.sparse_block = shape.sparse_block;
  return spec;
}

std::string ShapeText(const Shape2d& shape) {
  std::string text =
      Text(shape.inputs, " > ", shape.outputs, " of ", shape.extent, "x", shape.extent);
  if (shape.density < 1) text += Text(", ", 100 * (1 - shape.density), " % zero");
  return text;
}

bool IsOurOwn(const LayerEntry* entry) { return entry->implementation().name.starts_with("own."); }

// The fastest right one of ours, or of others; null where there is none.
LayerEntry* Fastest(const std::vector<LayerEntry*>& entries, bool is_ours) {
  LayerEntry* fastest = nullptr;
  for (LayerEntry* entry : entries) {
    if (IsOurOwn(entry) != is_ours || !entry->verdict().fault.empty()) continue;
    if (fastest == nullptr || entry->MedianMs() < fastest->MedianMs()) fastest = entry;
  }
  return fastest;
}

std::string CellsOf(const LayerEntry& entry) {
  char cells[160];
  std::snprintf(cells, sizeof(cells), "| %s | %.4f | %.1e ", entry.implementation().name.c_str(),
                entry.MedianMs(), entry.verdict().error);
  return cells;
}

std::string RatioCell(const LayerEntry& ours, const LayerEntry& others) {
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.samples_ms().size(); ++i) {
    ratios.push_back(others.samples_ms()[i] / ours.samples_ms()[i]);
  }
  const std::optional<Interval> ratio = MedianInterval(ratios);
  if (!ratio) return "| too few rounds ";
  char cell[80];
  std::snprintf(cell, sizeof(cell), "| %.2f [%.2f, %.2f] ", ratio->value, ratio->low, ratio->high);
  return cell;
}

void PrintRow(const NamedLayer& layer, DType dtype, double peak, double seconds,
              const PrimitiveList& list, const Target& target) {
  const LayerSpec spec = AtPrecision(SpecOf(layer.shape), dtype);
  const LayerEntries entries(spec, target, list, "");
  LayerEntries::RunInTurns(entries.all(), seconds);
  LayerEntry* ours = Fastest(entries.all(), true);
  LayerEntry* others = Fastest(entries.all(), false);
  std::string row =
      Text("| ", layer.name, " | ", ShapeText(layer.shape), " | ", NameOf(dtype), " ");
  if (ours == nullptr) throw Error(ErrorKind::kInternal, row + ": none of ours is right");
  std::vector<LayerEntry*> pair = {ours};
  if (others != nullptr) pair.push_back(others);
  for (LayerEntry* entry : pair) entry->Forget();
  LayerEntries::RunInTurns(pair, seconds);
  const double share =
      2e-6 * static_cast<double>(MacsOf(spec)) * spec.density / ours->MedianMs() / peak;
  char share_cell[32];
  std::snprintf(share_cell, sizeof(share_cell), "| %.0f %% ", 100 * share);
  row += CellsOf(*ours) + share_cell;
  row += others == nullptr ? "| none | | | " : CellsOf(*others) + RatioCell(*ours, *others);
  std::printf("%s|\n", row.c_str());
  std::fflush(stdout);
}

void PrintTable(double seconds, std::string_view name) {
  const ThreadScope scope(1);
  const PrimitiveList list = PrimitiveList::All();
  const Target target = HostTarget(1);
  const double f32 = PeakGflops(DType::kF32, target), bf16 = PeakGflops(DType::kBF16, target);
  if (f32 == 0) throw Error(ErrorKind::kDevice, "the peak of this processor is not known");
  std::printf(
      "One thread; peak of a core %.0f GFLOP/s in f32, %.0f in bf16. \"Of peak\" are the layer's "
      "multiply-adds by weights that are not zero; Winograd's and Fourier's convolutions do fewer, "
      "so that it may be more than the peak.\n\n",
      f32, bf16);
  std::printf(
      "| layer | shape | type | ours | ms | error | of peak | best of others | ms | error | "
      "its time over ours |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const NamedLayer& layer : Layers()) {
    if (!layer.name.starts_with(name)) continue;
    PrintRow(layer, DType::kF32, f32, seconds, list, target);
    PrintRow(layer, DType::kBF16, bf16, seconds, list, target);
  }
}

void Run(const std::vector<std::string_view>& arguments) {
  double seconds = 1;
  if (arguments.size() > 2 || (!arguments.empty() && !ParsePositive(arguments[0], &seconds))) {
    throw Error(ErrorKind::kUsage, "usage: kernel_table [SECONDS [NAME]]");
  }
  PrintTable(seconds, arguments.size() > 1 ? arguments[1] : "");
}

}  // namespace
}  // namespace fettle

int main(int count, char** arguments) {
  return fettle::BenchmarkMain(count, arguments, fettle::Run);
}
