#include <cmath>
#include <limits>

#include "fettle/core/shape_inference.h"
#include "fettle/network/onnx/fold.h"
#include "fettle/network/onnx/operator_table.h"

// Moving elements in ways that networks only move sizes in: computed at import or refused.

namespace fettle {
namespace {

// How many steps lead from start up to but without the limit; too many for any tensor where there
// is no such number.
int64_t StepCount(double start, double limit, double step) {
  const double count = std::ceil((limit - start) / step);
  if (!(count > 0)) return 0;  // also where it is not a number
  return count < 0x1p62 ? static_cast<int64_t>(count) : std::numeric_limits<int64_t>::max();
}

int64_t StepCount(int64_t start, int64_t limit, int64_t step) {
  if (step == 0) throw BadInput("its step is 0");
  __extension__ using Wide = __int128;  // no difference of two int64_t overflows it
  const Wide distance = static_cast<Wide>(limit) - start;
  const Wide wide_step = step;
  const Wide count = (distance + wide_step - (step > 0 ? 1 : -1)) / wide_step;
  if (count <= 0 || (distance < 0) != (step < 0)) return 0;
  constexpr auto kMost = std::numeric_limits<int64_t>::max();
  return count < kMost ? static_cast<int64_t>(count) : kMost;
}

}  // namespace

void ImportGather(NodeImport& node) {
  const int64_t wanted_axis = node.attributes().Int("axis", 0);
  const Tensor& data = node.HostInput(0);
  const Tensor& places = node.HostInput(1);
  const auto axis =
      static_cast<size_t>(ResolvedAxis(wanted_axis, static_cast<int64_t>(data.shape().size())));
  if (places.dtype() != DType::kI64 && places.dtype() != DType::kI32) {
    throw BadInput("its indices are ", TypeText(places.type()));
  }
  std::vector<int64_t> indices = std::get<std::vector<int64_t>>(*NumbersOf(places));
  for (int64_t& index : indices) {
    const int64_t extent = data.shape()[axis];
    if (index < -extent || index >= extent) {
      throw BadInput("index ", index, " of an axis of ", extent);
    }
    if (index < 0) index += extent;
  }
  Shape shape(data.shape().begin(), data.shape().begin() + static_cast<ptrdiff_t>(axis));
  shape.insert(shape.end(), places.shape().begin(), places.shape().end());
  shape.insert(shape.end(), data.shape().begin() + static_cast<ptrdiff_t>(axis) + 1,
               data.shape().end());
  node.state().ChargeFolding({data.dtype(), shape});
  node.SetConstant(Gathered(data, axis, indices, places.shape()));
}

void ImportExpand(NodeImport& node) {
  const Tensor& data = node.HostInput(0);
  const TensorType wanted{data.dtype(), node.IntsInput(1, "shape")};
  for (int64_t extent : wanted.shape) {
    if (extent < 0) throw BadInput("wants an extent of ", extent);
  }
  const TensorType type = InferTypes(Binary{}, std::vector<TensorType>{data.type(), wanted})[0];
  node.state().ChargeFolding(type);
  node.SetConstant(BroadcastTo(data, type.shape));
}

void ImportRange(NodeImport& node) {
  const DType dtype = node.HostInput(0).dtype();
  std::vector<Numbers> limits;
  for (size_t i = 0; i < 3; ++i) {
    const Tensor& input = node.HostInput(i);
    const std::optional<Numbers> number = NumbersOf(input);
    if (!number || input.num_elements() != 1 || input.dtype() != dtype) {
      throw BadInput("its input ", i, " is ", TypeText(input.type()));
    }
    limits.push_back(*number);
  }
  std::visit(
      [&](auto& list) {
        using List = std::remove_reference_t<decltype(list)>;
        const auto start = list[0], step = std::get<List>(limits[2])[0];
        const int64_t count = StepCount(start, std::get<List>(limits[1])[0], step);
        const TensorType type{dtype, {count}};
        node.state().ChargeFolding(type);
        list.resize(static_cast<size_t>(count));
        for (int64_t i = 0; i < count; ++i) {
          list[static_cast<size_t>(i)] = start + static_cast<decltype(+step)>(i) * step;
        }
        node.SetConstant(TensorOf(limits[0], type));
      },
      limits[0]);
}

void ImportTile(NodeImport& node) {
  const Tensor& data = node.HostInput(0);
  const std::vector<int64_t> repeats = node.IntsInput(1, "repeats");
  const Shape& shape = data.shape();
  if (repeats.size() != shape.size()) {
    throw BadInput("repeats has ", repeats.size(), " entries, expected ", shape.size());
  }
  // Each axis as two, the repetitions and the elements; then joined.
  Shape apart, joined;
  std::vector<int64_t> strides;
  const std::vector<int64_t> own = RowMajorStrides(shape);
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    apart.insert(apart.end(), {repeats[axis], shape[axis]});
    strides.insert(strides.end(), {0, own[axis]});
    int64_t extent = 0;
    if (__builtin_mul_overflow(repeats[axis], shape[axis], &extent)) throw BadInput("overflows");
    joined.push_back(extent);
  }
  if (!CheckedElementCount(apart)) throw BadInput("repeats ", ShapeText(repeats));
  node.state().ChargeFolding({data.dtype(), joined});
  node.SetConstant(StridedCopy(data, 0, apart, strides).Reshaped(joined));
}

}  // namespace fettle
