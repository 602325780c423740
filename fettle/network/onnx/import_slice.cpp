#include <algorithm>
#include <numeric>

#include "fettle/network/onnx/operator_table.h"

namespace fettle {
namespace {

// What ONNX writes down, for some of the axes.
struct SliceRequest {
  std::vector<int64_t> starts, ends, axes, steps;
};

// The lists in one attribute or input each; axes and steps may be left out.
SliceRequest ReadRequest(const NodeImport& node) {
  SliceRequest request;
  const auto starts = node.IntsOf("starts", 1, 10), ends = node.IntsOf("ends", 2, 10);
  if (!starts || !ends) throw BadInput("has no starts or no ends");
  request.starts = *starts;
  request.ends = *ends;
  const size_t count = request.starts.size();
  std::vector<int64_t> first(count);
  std::iota(first.begin(), first.end(), 0);
  request.axes = node.IntsOf("axes", 3, 10).value_or(first);
  request.steps.assign(count, 1);
  if (node.opset() >= 10 && node.Has(4)) request.steps = node.IntsInput(4, "steps");
  if (request.ends.size() != count || request.axes.size() != count ||
      request.steps.size() != count) {
    throw BadInput("starts, ends, axes and steps have ", count, ", ", request.ends.size(), ", ",
                   request.axes.size(), " and ", request.steps.size(), " entries");
  }
  return request;
}

// Negative places count from the end; then they are clamped to the axis.
int64_t Place(int64_t place, int64_t extent, int64_t least, int64_t most) {
  if (place < 0) place += extent;
  return std::max(least, std::min(place, most));
}

// Steps so large that they only ever leave the axis are as good as this one.
constexpr int64_t kLargestStep = (int64_t{1} << 31) - 1;

}  // namespace

void ImportSlice(NodeImport& node) {
  const SliceRequest request = ReadRequest(node);
  const Shape& shape = node.InputType(0).shape;
  const int64_t rank = node.Rank(0);
  ResolvedAxes(request.axes, rank);  // throws where one stands twice
  Slice slice{Shape(shape.size(), 0), shape, Shape(shape.size(), 1)};
  for (size_t i = 0; i < request.axes.size(); ++i) {
    const auto axis = static_cast<size_t>(ResolvedAxis(request.axes[i], rank));
    const int64_t extent = shape[axis], step = request.steps[i];
    if (step == 0) throw BadInput("step 0");
    const int64_t least = step > 0 ? 0 : -1, most = step > 0 ? extent : extent - 1;
    slice.starts[axis] = Place(request.starts[i], extent, std::min<int64_t>(0, most), most);
    slice.ends[axis] = Place(request.ends[i], extent, least, most);
    slice.steps[axis] = std::clamp(step, -kLargestStep, kLargestStep);
    if (slice.steps[axis] != step && extent > kLargestStep) throw BadInput("step ", step);
  }
  node.Emit(slice, {node.Input(0)});
}

}  // namespace fettle
