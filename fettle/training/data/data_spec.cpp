#include "fettle/training/data/data_spec.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>

#include "fettle/core/error.h"
#include "fettle/training/data/dataset_format.h"

namespace fettle {
namespace {

constexpr std::string_view kCommonOptions = "mean, std, scale, split, limit, pad, labels";
constexpr int64_t kMostPadding = 1024, kLongestSide = 16'384;

Error Fault(std::string_view text, const std::string& fault) {
  return {ErrorKind::kUsage, Text("data '", text, "': ", fault)};
}

template <typename Number>
bool ParseNumber(std::string_view text, Number* number) {
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, *number);
  return fault == std::errc() && stop == end;
}

// The text up to the separator, which goes with it.
std::string_view Take(std::string_view* text, char separator) {
  const std::string_view part = text->substr(0, text->find(separator));
  text->remove_prefix(std::min(text->size(), part.size() + 1));
  return part;
}

class OptionParser {
 public:
  OptionParser(DataSpec* spec, const DatasetFormat& format)
      : spec_(*spec), known_(Text(kCommonOptions, format.options)) {}

  void Parse(std::string_view option) {
    std::string_view value = option;
    const std::string_view name = Take(&value, '=');
    RequireKnown(name);
    if (name == "mean") {
      spec_.mean = Numbers(name, value);
    } else if (name == "std") {
      spec_.deviation = Numbers(name, value);
      for (const float number : *spec_.deviation) RequireAboveZero(name, number);
    } else if (name == "scale") {
      const std::vector<float> numbers = Numbers(name, value);
      if (numbers.size() != 1) throw Fault(spec_.text, "option scale: one number is expected");
      spec_.scale = numbers[0];
      RequireAboveZero(name, *spec_.scale);
    } else if (name == "split") {
      spec_.split = SplitOf(value);
    } else if (name == "labels") {
      ParseLabels(value);
    } else if (name == "layout") {
      if (value != "nchw" && value != "nhwc") {
        throw Fault(spec_.text, Text("no layout '", value, "'; known are nchw and nhwc"));
      }
      spec_.layout = value == "nchw" ? DataLayout::kNchw : DataLayout::kNhwc;
    } else {
      ParseInteger(name, value);
    }
  }

 private:
  void ParseInteger(std::string_view name, std::string_view value) {
    if (name == "limit") {
      spec_.limit = Integer(name, value, 1);
    } else if (name == "pad") {
      spec_.pad = Integer(name, value, 0, kMostPadding);
    } else if (name == "resize" || name == "size") {
      spec_.resize = Integer(name, value, 1, kLongestSide);
    } else if (name == "crop") {
      spec_.crop = Integer(name, value, 1, kLongestSide);
    } else if (name == "channels") {
      spec_.channels = Integer(name, value, 1, 3);
      if (*spec_.channels == 2) throw Fault(spec_.text, "option channels: 1 (grey) or 3 (colour)");
    } else if (name == "classes") {
      spec_.classes = Integer(name, value, 1, kGreatestLabel + 1);
    } else {
      assert(false);  // RequireKnown lets no other by
    }
  }

  void RequireKnown(std::string_view option) const {
    std::string_view known = known_;
    while (!known.empty()) {
      std::string_view one = Take(&known, ',');
      one.remove_prefix(std::min(one.size(), one.find_first_not_of(' ')));
      if (one == option) return;
    }
    throw Fault(spec_.text,
                Text("no option '", option, "' of ", spec_.format, "; known are ", known_));
  }

  void ParseLabels(std::string_view value) {
    const bool has_coarse = known_.find("labels=coarse") != std::string::npos;
    if (value != "none" && (value != "coarse" || !has_coarse)) {
      throw Fault(spec_.text, Text("option labels: '", value, "'; known is none",
                                   has_coarse ? ", and coarse" : "; coarse is of cifar100"));
    }
    spec_.has_labels = value != "none";
    spec_.has_coarse_labels = value == "coarse";
  }

  void RequireAboveZero(std::string_view name, float number) const {
    if (number <= 0) throw Fault(spec_.text, Text("option ", name, " must be above 0"));
  }

  std::vector<float> Numbers(std::string_view name, std::string_view value) const {
    std::vector<float> numbers;
    do {
      const std::string_view part = Take(&value, ',');
      float number = 0;
      if (!ParseNumber(part, &number) || !std::isfinite(number)) {
        throw Fault(spec_.text, Text("option ", name, ": '", part, "' is no number"));
      }
      numbers.push_back(number);
    } while (!value.empty());
    return numbers;
  }

  int64_t Integer(std::string_view name, std::string_view value, int64_t least,
                  int64_t most = 1'000'000'000) const {
    int64_t number = 0;
    if (!ParseNumber(value, &number) || number < least || number > most) {
      throw Fault(spec_.text, Text("option ", name, ": '", value, "' is no whole number from ",
                                   least, " to ", most));
    }
    return number;
  }

  DataSplit SplitOf(std::string_view value) const {
    for (const DataSplit split : {DataSplit::kTrain, DataSplit::kValidation, DataSplit::kTest}) {
      if (value == NameOf(split)) return split;
    }
    throw Fault(spec_.text, Text("no split '", value, "'; known are train, validation and test"));
  }

  DataSpec& spec_;
  std::string known_;
};

const DatasetFormat& FormatOf(std::string_view text, std::string_view name) {
  std::string known;
  for (const DatasetFormat& format : DatasetFormats()) {
    if (format.name == name) return format;
    known.append(known.empty() ? "" : ", ").append(format.usage);
  }
  throw Fault(text, Text("no format '", name, "'; known are ", known));
}

}  // namespace

std::string_view NameOf(DataSplit split) {
  switch (split) {
    case DataSplit::kTrain:
      return "train";
    case DataSplit::kValidation:
      return "validation";
    default:
      return "test";
  }
}

DataSpec ParseDataSpec(std::string_view text, DataSplit split) {
  DataSpec spec;
  spec.text = text;
  spec.split = split;
  std::string_view options = text;
  std::string_view place = Take(&options, '?');
  const DatasetFormat& format = FormatOf(text, Take(&place, ':'));
  spec.format = format.name;
  spec.place = place.empty() ? format.usual_place : place;
  if (spec.place.empty()) throw Fault(text, Text("names no place; it is ", format.usage));
  OptionParser parser(&spec, format);
  while (!options.empty()) parser.Parse(Take(&options, '&'));
  return spec;
}

}  // namespace fettle
