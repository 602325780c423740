#include "fettle/primitives/own_gather.h"

#include <cstring>
#include <numeric>
#include <utility>

#include "fettle/primitives/own_parallel.h"

namespace fettle {
namespace {

void Fill(size_t bytes, const std::byte* fill, size_t fill_bytes, std::byte* output) {
  for (size_t at = 0; at < bytes; at += fill_bytes) std::memcpy(output + at, fill, fill_bytes);
}

// With a constant size, so that each copy is one load and one store.
template <size_t kBytes>
void CopyStrided(int64_t count, int64_t step, const std::byte* from, std::byte* to) {
  for (int64_t i = 0; i < count; ++i, from += step, to += kBytes) std::memcpy(to, from, kBytes);
}

void CopyStrided(int64_t count, int64_t step, size_t bytes, const std::byte* from, std::byte* to) {
  switch (bytes) {
    case 1:
      return CopyStrided<1>(count, step, from, to);
    case 2:
      return CopyStrided<2>(count, step, from, to);
    case 4:
      return CopyStrided<4>(count, step, from, to);
    case 8:
      return CopyStrided<8>(count, step, from, to);
    default:
      for (int64_t i = 0; i < count; ++i, from += step, to += bytes) std::memcpy(to, from, bytes);
  }
}

}  // namespace

std::vector<int64_t> WholeAxis(int64_t extent) {
  std::vector<int64_t> sources(static_cast<size_t>(extent));
  std::iota(sources.begin(), sources.end(), 0);
  return sources;
}

Gather::Gather(std::vector<GatherAxis> axes, size_t element_bytes)
    : element_bytes_(element_bytes), unit_bytes_(element_bytes) {
  if (axes.empty()) axes.push_back({{0}, 0});  // a scalar
  const auto bytes = static_cast<int64_t>(element_bytes);
  // Innermost axes that are contiguous from their first element on are copied as one unit.
  while (axes.size() > 1 && axes.back().stride * bytes == static_cast<int64_t>(unit_bytes_) &&
         axes.back().sources == WholeAxis(static_cast<int64_t>(axes.back().sources.size()))) {
    unit_bytes_ *= axes.back().sources.size();
    axes.pop_back();
  }
  for (GatherAxis& axis : axes) {
    for (int64_t& source : axis.sources) source = source < 0 ? -1 : source * axis.stride * bytes;
  }
  for (int64_t source : axes.back().sources) AppendToRow(source);
  row_bytes_ = axes.back().sources.size() * unit_bytes_;
  axes.pop_back();
  for (GatherAxis& axis : axes) {
    rows_ *= static_cast<int64_t>(axis.sources.size());
    outer_.push_back(std::move(axis.sources));
  }
}

void Gather::AppendToRow(int64_t source) {
  Stretch* last = row_.empty() ? nullptr : &row_.back();
  if (last != nullptr && (last->source < 0) == (source < 0)) {
    if (last->count == 1) last->step = source - last->source;
    if (source < 0 || source == last->source + last->count * last->step) {
      ++last->count;
      return;
    }
  }
  row_.push_back({1, source, 0});
}

void Gather::Run(const Target& target, const std::byte* input, const std::byte* fill,
                 std::byte* output) const {
  if (row_bytes_ == 0) return;
  // Eight bytes of a plain copy count as one operation.
  const int64_t work = static_cast<int64_t>(row_.size() + row_bytes_ / 8);
  ParallelFor(target, rows_, work, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t row = begin; row < end; ++row) RunRow(row, input, fill, output);
  });
}

void Gather::RunRow(int64_t row, const std::byte* input, const std::byte* fill,
                    std::byte* output) const {
  output += static_cast<size_t>(row) * row_bytes_;
  for (size_t axis = outer_.size(); axis-- > 0;) {
    const auto extent = static_cast<int64_t>(outer_[axis].size());
    const int64_t source = outer_[axis][static_cast<size_t>(row % extent)];
    if (source < 0) return Fill(row_bytes_, fill, element_bytes_, output);
    input += source;
    row /= extent;
  }
  for (const Stretch& stretch : row_) {
    const size_t bytes = static_cast<size_t>(stretch.count) * unit_bytes_;
    if (stretch.source < 0) {
      Fill(bytes, fill, element_bytes_, output);
    } else {
      Copy(stretch, input + stretch.source, output);
    }
    output += bytes;
  }
}

void Gather::Copy(const Stretch& stretch, const std::byte* input, std::byte* output) const {
  if (stretch.count == 1 || stretch.step == static_cast<int64_t>(unit_bytes_)) {
    std::memcpy(output, input, static_cast<size_t>(stretch.count) * unit_bytes_);
  } else {
    CopyStrided(stretch.count, stretch.step, unit_bytes_, input, output);
  }
}

}  // namespace fettle
