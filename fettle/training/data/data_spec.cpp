#include "fettle/training/data/data_spec.h"

#include <charconv>
#include <cmath>

#include "fettle/core/error.h"

namespace fettle {
namespace {

constexpr std::string_view kKnownFormats =
    "known are fashion-mnist[:FOLDER], mnist:FOLDER and cifar10:FOLDER";
constexpr std::string_view kFashionMnistFolder = "/usr/share/datasets/fashion-mnist";

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
  explicit OptionParser(DataSpec* spec) : spec_(*spec) {}

  void Parse(std::string_view option) {
    std::string_view value = option;
    const std::string_view name = Take(&value, '=');
    if (name == "mean") {
      spec_.mean = Numbers(name, value);
    } else if (name == "std") {
      spec_.deviation = Numbers(name, value);
      for (const float number : *spec_.deviation) {
        if (number <= 0) throw Fault(spec_.text, "option std must be above 0");
      }
    } else if (name == "split") {
      spec_.split = SplitOf(value);
    } else if (name == "limit") {
      spec_.limit = Integer(name, value, 1);
    } else if (name == "pad") {
      spec_.pad = Integer(name, value, 0);
    } else if (name == "labels") {
      if (value != "none") {
        throw Fault(spec_.text, Text("option labels: '", value, "'; only none is known"));
      }
      spec_.has_labels = false;
    } else {
      throw Fault(spec_.text, Text("no option '", name,
                                   "'; known are mean, std, split, limit, pad and labels"));
    }
  }

 private:
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

  int64_t Integer(std::string_view name, std::string_view value, int64_t least) const {
    int64_t number = 0;
    if (!ParseNumber(value, &number) || number < least || number > 1'000'000'000) {
      throw Fault(spec_.text,
                  Text("option ", name, ": '", value, "' is no whole number from ", least));
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
};

DataFormat FormatOf(std::string_view text, std::string_view name) {
  if (name == "fashion-mnist") return DataFormat::kFashionMnist;
  if (name == "mnist") return DataFormat::kMnist;
  if (name == "cifar10") return DataFormat::kCifar10;
  if (name == "images" || name == "npz") {
    throw Fault(text, Text("format '", name, "' is not supported yet; ", kKnownFormats));
  }
  throw Fault(text, Text("no format '", name, "'; ", kKnownFormats));
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
  std::string_view folder = Take(&options, '?');
  spec.format = FormatOf(text, Take(&folder, ':'));
  spec.folder = folder;
  if (folder.empty()) {
    if (spec.format != DataFormat::kFashionMnist) {
      throw Fault(text, Text("a folder must follow after a colon; ", kKnownFormats));
    }
    spec.folder = kFashionMnistFolder;
  }
  OptionParser parser(&spec);
  while (!options.empty()) parser.Parse(Take(&options, '&'));
  return spec;
}

}  // namespace fettle
