#pragma once

#include <cstdint>
#include <vector>

#include "fettle/primitives/conv_shape.h"

namespace fettle {

// Elements of a channel, in a row of the input or zeros, that are brought to where the taps look
// for them.
struct CopyRun {
  int64_t from = 0;  // from the channel's first element of the first image; or -1, zeros
  int32_t to = 0, count = 0;
};

// Neighbouring sums that are outputs, and neighbours there too.
struct OutputRun {
  int64_t pixel = 0;  // from the channel's first element of the first image
  int32_t from = 0, count = 0;
};

// The images of a batch as one line of positions, on which each tap of the window is an offset:
//
//   output(position) = sum over taps of weight(tap) * copy[phase(tap)][position + offset(tap)]
//
// Rows follow one another with zeros in between, as many as the padding needs, and so do images;
// the zeros behind a row are those before the next. What a position between two rows comes to is
// junk. A stride cuts the input into phases, one a remainder of the coordinates, of which each is
// copied by itself, so that neighbouring outputs read neighbouring elements. Windows of one element
// that do not stride have neither zeros nor junk.
class TapPlane {
 public:
  struct Tap {
    int64_t phase = 0, offset = 0;
  };

  // `lanes`: rows are made to begin at a multiple of them where that costs little.
  TapPlane(const ConvShape& shape, int64_t lanes);

  int64_t positions() const { return positions_; }  // up to and with the last output
  int64_t reach() const { return reach_; }          // the largest offset of a tap
  int64_t phases() const { return static_cast<int64_t>(phases_.size()); }
  const std::vector<Tap>& taps() const { return taps_; }  // row-major in the window

  // What is to be copied for the positions [first, first + count) and the reach behind them.
  std::vector<CopyRun> CopyRuns(int64_t phase, int64_t first, int64_t count) const;

  // The outputs among the positions [first, first + count), in order.
  std::vector<OutputRun> OutputRuns(int64_t first, int64_t count) const;

  // Elements from one to the next along a row.
  int64_t step() const { return plane_.x.stride; }

 private:
  struct Axis {
    int64_t zeros = 0;  // before each row (or image)
    int64_t pitch = 1;  // from one to the next, along the axis
  };
  struct Phase {
    int64_t y = 0, x = 0;
  };

  static Axis AxisOf(const WindowAxis& axis);
  void AddRow(int64_t row, int64_t column, const Phase& phase, CopyRun run,
              std::vector<CopyRun>* runs) const;

  WindowPlane plane_;
  int64_t batch_ = 1, input_image_ = 1, output_image_ = 1;  // elements from image to image
  Axis y_, x_;
  std::vector<Phase> phases_;
  std::vector<Tap> taps_;
  int64_t positions_ = 1, reach_ = 0;
};

}  // namespace fettle
