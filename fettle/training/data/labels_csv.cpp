#include "fettle/training/data/labels_csv.h"

#include <algorithm>
#include <array>

#include "fettle/core/error.h"

namespace fettle {
namespace {

namespace fs = std::filesystem;

// Takes a record off the text: fields between commas; those in quotes may hold commas, line ends
// and, doubled, quotes. Nothing where a quote is not closed.
std::optional<std::vector<std::string>> TakeRecord(std::string_view* text, size_t* lines) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  size_t i = 0;
  for (; i < text->size(); ++i) {
    const char c = (*text)[i];
    if (c == '\n') ++*lines;
    if (is_quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (i + 1 < text->size() && (*text)[i + 1] == '"') {
        fields.back() += (*text)[++i];
      } else {
        is_quoted = false;
      }
    } else if (c == '"' && fields.back().empty()) {
      is_quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      break;
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  text->remove_prefix(std::min(text->size(), i + 1));
  if (is_quoted) return std::nullopt;
  return fields;
}

bool IsHeader(const std::string& first) {
  constexpr std::array<std::string_view, 4> kNames = {"path", "file", "filename", "image"};
  return std::ranges::find(kNames, first) != kNames.end();
}

DataSplit SplitNamed(const std::string& name, const std::string& where) {
  if (name == "val") return DataSplit::kValidation;
  for (const DataSplit split : {DataSplit::kTrain, DataSplit::kValidation, DataSplit::kTest}) {
    if (name == NameOf(split)) return split;
  }
  throw BadInput(where, ": no split '", name, "'; known are train, validation and test");
}

fs::path FileNamed(const std::string& name, const fs::path& folder, const std::string& where) {
  const fs::path file = fs::path(name).lexically_normal();
  if (name.empty() || file.is_absolute() || file.begin()->string() == "..") {
    throw BadInput(where, ": '", name, "' leads out of the dataset's folder");
  }
  std::error_code fault;
  if (!fs::is_regular_file(folder / file, fault)) {
    throw BadInput(where, ": '", name, "' is not there; take the line out or restore the file");
  }
  return folder / file;
}

}  // namespace

std::vector<LabelledFile> ParseLabelsCsv(std::string_view text, const fs::path& path) {
  std::vector<LabelledFile> files;
  size_t line = 1;
  while (!text.empty()) {
    const std::string where = Text(path.string(), ": line ", line);
    const bool is_first = line == 1;
    const auto fields = TakeRecord(&text, &line);
    if (!fields) throw BadInput(where, ": a quote is not closed");
    if (fields->size() == 1 && (*fields)[0].empty()) continue;  // an empty line
    if (is_first && IsHeader((*fields)[0])) continue;
    if (fields->size() < 2 || fields->size() > 3 || (*fields)[1].empty()) {
      throw BadInput(where, ": path,label or path,label,split is expected");
    }
    LabelledFile file{FileNamed((*fields)[0], path.parent_path(), where), (*fields)[1], {}};
    if (fields->size() == 3) file.split = SplitNamed((*fields)[2], where);
    if (!files.empty() && files[0].split.has_value() != file.split.has_value()) {
      throw BadInput(where, ": either all lines name a split or none");
    }
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace fettle
