#include "fettle/primitives/own_sparse_filters.h"

#include <algorithm>
#include <cassert>

namespace fettle {
namespace {

// One part's filters, cut slice by slice.
class FilterCutter {
 public:
  FilterCutter(std::span<const float> filters, int64_t outputs, int64_t inputs,
               const SparseCopies& copies, const SparseCut& cut)
      : filters_(filters), outputs_(outputs), inputs_(inputs), copies_(copies), cut_(cut) {}

  int64_t groups() const { return (outputs_ + cut_.rows - 1) / cut_.rows; }

  // How many places a group has.
  int64_t CountOf(int64_t group) const {
    int64_t count = 0;
    for (int64_t k = 0; k < row_length(); ++k) count += IsPlace(group, k) ? 1 : 0;
    return count;
  }

  SparsePart Part(int64_t first_group, int64_t last_group) const {
    SparsePart part;
    part.first_output = first_group * cut_.rows;
    part.outputs = std::min(last_group * cut_.rows, outputs_) - part.first_output;
    for (int64_t c = 0; c < inputs_; c += cut_.slice_channels) {
      part.slices.push_back(
          Slice(first_group, last_group, c, std::min(cut_.slice_channels, inputs_ - c)));
    }
    return part;
  }

 private:
  int64_t row_length() const { return static_cast<int64_t>(filters_.size()) / outputs_; }
  int64_t taps() const { return row_length() / inputs_; }

  float Value(int64_t output, int64_t k) const {
    return output < outputs_ ? filters_[static_cast<size_t>(output * row_length() + k)] : 0;
  }

  bool IsPlace(int64_t group, int64_t k) const {
    for (int64_t row = 0; row < cut_.rows; ++row) {
      if (Value(group * cut_.rows + row, k) != 0) return true;
    }
    return false;
  }

  SparseSlice Slice(int64_t first_group, int64_t last_group, int64_t channel,
                    int64_t channels) const {
    SparseSlice slice;
    slice.first_channel = channel;
    slice.channels = channels;
    std::vector<std::vector<int64_t>> places(static_cast<size_t>(last_group - first_group));
    for (size_t g = 0; g < places.size(); ++g) {
      for (int64_t k = channel * taps(); k < (channel + channels) * taps(); ++k) {
        if (IsPlace(first_group + static_cast<int64_t>(g), k)) places[g].push_back(k);
      }
      slice.groups.push_back({static_cast<int32_t>(g), static_cast<int32_t>(places[g].size())});
    }
    std::ranges::stable_sort(slice.groups, std::ranges::greater(), &SparseGroup::count);
    for (const SparseGroup& group : slice.groups) {
      for (const int64_t k : places[static_cast<size_t>(group.group)]) {
        AddPlace(first_group + group.group, k, &slice);
      }
    }
    return slice;
  }

  void AddPlace(int64_t group, int64_t k, SparseSlice* slice) const {
    const int64_t offset = (k / taps() - slice->first_channel) * copies_.channel_elements() +
                           copies_.OffsetOf(static_cast<size_t>(k % taps()));
    assert(offset < 1 << 16);
    slice->offsets.push_back(static_cast<uint16_t>(offset));
    for (int64_t row = 0; row < cut_.rows; ++row) {
      slice->values.push_back(Value(group * cut_.rows + row, k));
    }
  }

  std::span<const float> filters_;
  int64_t outputs_, inputs_;
  const SparseCopies& copies_;
  const SparseCut& cut_;
};

}  // namespace

SparseCopies::SparseCopies(const TapPlane& plane, int64_t lanes, int64_t positions)
    : elements_((positions + plane.reach() + lanes - 1) / lanes * lanes) {
  constexpr size_t kMostCopies = 9;
  const auto place = [&](bool is_aligned) {
    all_.clear();
    for (const TapPlane::Tap& tap : plane.taps()) {
      const Copy copy{tap.phase, is_aligned ? tap.offset % lanes : 0};
      if (std::ranges::find(all_, copy) == all_.end()) all_.push_back(copy);
    }
  };
  place(true);
  if (all_.size() > kMostCopies) place(false);
  is_unshifted_ = std::ranges::all_of(all_, [](const Copy& copy) { return copy.shift == 0; });
  std::ranges::stable_sort(all_, {}, &Copy::phase);
  for (const TapPlane::Tap& tap : plane.taps()) {
    const auto copy = std::ranges::find_if(all_, [&](const Copy& each) {
      return each.phase == tap.phase && (tap.offset - each.shift) % lanes == 0;
    });
    const auto unshifted = std::ranges::find(all_, Copy{tap.phase, 0});
    const auto found = copy == all_.end() ? unshifted : copy;
    offsets_.push_back((found - all_.begin()) * elements_ + tap.offset - found->shift);
  }
}

std::vector<SparsePart> CutFilters(std::span<const float> filters, int64_t outputs, int64_t inputs,
                                   const SparseCopies& copies, const SparseCut& cut) {
  const FilterCutter cutter(filters, outputs, inputs, copies, cut);
  std::vector<int64_t> ends;  // places up to and with each group, and one more for its output
  int64_t sum = 0;
  for (int64_t group = 0; group < cutter.groups(); ++group) {
    ends.push_back(sum += cutter.CountOf(group) + 1);
  }
  std::vector<SparsePart> parts;
  int64_t begin = 0;
  for (int64_t part = 1; part <= cut.parts; ++part) {
    const auto share = std::ranges::lower_bound(ends, sum * part / cut.parts);
    const int64_t end = part == cut.parts ? cutter.groups() : share - ends.begin();
    parts.push_back(cutter.Part(begin, std::max(begin, end)));
    begin = std::max(begin, end);
  }
  return parts;
}

int64_t SharedRows(std::span<const float> filters, int64_t outputs) {
  const size_t length = filters.size() / static_cast<size_t>(outputs);
  const auto share = [&](size_t rows) {
    for (size_t i = 0; i < filters.size(); ++i) {
      const size_t first = i / length / rows * rows;  // of the row's group
      if ((filters[i] != 0) != (filters[first * length + i % length] != 0)) return false;
    }
    return true;
  };
  for (const size_t rows : {4, 2}) {
    if (static_cast<int64_t>(rows) <= outputs && share(rows)) return static_cast<int64_t>(rows);
  }
  return 1;
}

}  // namespace fettle
