#include "fettle/training/data/class_names.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <sstream>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/training/data/dataset_format.h"

namespace fettle {
namespace {

namespace fs = std::filesystem;

std::optional<int32_t> LabelOf(const std::string& name) {
  int32_t label = -1;
  const char* const end = name.data() + name.size();
  const auto [stop, fault] = std::from_chars(name.data(), end, label);
  if (fault != std::errc() || stop != end || label < 0 || label > kGreatestLabel) {
    return std::nullopt;
  }
  return label;
}

ClassNames Numbered(const std::vector<std::string>& of_images,
                    const std::vector<std::string>& known) {
  ClassNames classes;
  for (const std::string& name : known) {
    classes.count = std::max<int64_t>(classes.count, *LabelOf(name) + 1);
  }
  for (const std::string& name : of_images) classes.labels.push_back(*LabelOf(name));
  return classes;
}

// `where`: the file that lists the names, for errors.
ClassNames Listed(const std::vector<std::string>& of_images, std::vector<std::string> names,
                  const std::string& where) {
  std::map<std::string, int32_t> label_of;
  for (const std::string& name : names) {
    const auto label = static_cast<int32_t>(label_of.size());
    if (!label_of.emplace(name, label).second) {
      throw BadInput(where, ": names the class '", name, "' twice");
    }
  }
  ClassNames classes;
  for (const std::string& name : of_images) {
    const auto found = label_of.find(name);
    if (found == label_of.end()) {
      throw BadInput(where, ": lacks the class '", name, "'; add it where the model has it");
    }
    classes.labels.push_back(found->second);
  }
  classes.count = static_cast<int64_t>(names.size());
  classes.names = std::move(names);
  return classes;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

}  // namespace

ClassNames ClassNames::Of(const fs::path& folder, const std::vector<std::string>& of_images,
                          const std::vector<std::string>& known) {
  const fs::path list = folder / "classes.txt";
  std::error_code fault;
  if (fs::exists(list, fault)) return Listed(of_images, Lines(ReadFile(list)), list.string());
  const auto is_label = [](const std::string& name) { return LabelOf(name).has_value(); };
  if (std::ranges::all_of(known, is_label)) return Numbered(of_images, known);
  std::vector<std::string> names = known;
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return Listed(of_images, std::move(names), folder.string());
}

}  // namespace fettle
