#include "fettle/training/data/image_listing.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/training/data/labels_csv.h"

namespace fettle {
namespace {

namespace fs = std::filesystem;

bool IsImage(const fs::path& file) {
  std::string suffix = file.extension().string();
  for (char& c : suffix) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return suffix == ".jpg" || suffix == ".jpeg" || suffix == ".png";
}

std::vector<fs::path> SortedContent(const fs::path& folder) {
  std::vector<fs::path> content;
  std::error_code fault;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, fault)) {
    if (!entry.path().filename().string().starts_with('.')) content.push_back(entry.path());
  }
  if (fault) throw BadInput(folder.string(), ": cannot be read (", fault.message(), ")");
  std::ranges::sort(content);
  return content;
}

std::vector<fs::path> ImagesBelow(const fs::path& folder) {
  std::vector<fs::path> images;
  std::error_code fault;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder, fault)) {
    const bool is_hidden = entry.path().filename().string().starts_with('.');
    if (!is_hidden && entry.is_regular_file(fault) && IsImage(entry.path())) {
      images.push_back(entry.path());
    }
  }
  if (fault) throw BadInput(folder.string(), ": cannot be read (", fault.message(), ")");
  std::ranges::sort(images);
  return images;
}

std::optional<int64_t> NumberOf(const std::string& name) {
  int64_t number = 0;
  const char* const end = name.data() + name.size();
  const auto [stop, fault] = std::from_chars(name.data(), end, number);
  if (fault != std::errc() || stop != end) return std::nullopt;
  return number;
}

// Gives each entry the index of its class's name.
void NumberClasses(const std::vector<std::string>& names, ImageListing* listing) {
  listing->classes = names;
  std::ranges::sort(listing->classes);
  listing->classes.erase(std::unique(listing->classes.begin(), listing->classes.end()),
                         listing->classes.end());
  const bool are_numbers = std::ranges::all_of(
      listing->classes, [](const std::string& name) { return NumberOf(name).has_value(); });
  if (are_numbers) std::ranges::stable_sort(listing->classes, {}, NumberOf);
  std::map<std::string, int32_t> labels;
  for (const std::string& name : listing->classes) {
    const auto next = static_cast<int32_t>(labels.size());
    labels[name] = next;
  }
  for (size_t i = 0; i < names.size(); ++i) listing->entries[i].label = labels.at(names[i]);
}

// The images of a folder with the names of their classes; empty names where it has no class
// folders.
std::vector<std::pair<fs::path, std::string>> ImagesByClass(const fs::path& folder) {
  std::vector<std::pair<fs::path, std::string>> images;
  for (const fs::path& content : SortedContent(folder)) {
    if (!fs::is_directory(content)) continue;
    for (const fs::path& image : ImagesBelow(content)) {
      images.emplace_back(image, content.filename().string());
    }
  }
  if (!images.empty()) return images;
  for (const fs::path& image : ImagesBelow(folder)) images.emplace_back(image, "");
  return images;
}

std::vector<std::pair<fs::path, DataSplit>> SplitFolders(const fs::path& folder) {
  std::vector<std::pair<fs::path, DataSplit>> folders;
  for (const auto& [name, split] :
       {std::pair("train", DataSplit::kTrain), std::pair("validation", DataSplit::kValidation),
        std::pair("val", DataSplit::kValidation), std::pair("test", DataSplit::kTest)}) {
    if (fs::is_directory(folder / name)) folders.emplace_back(folder / name, split);
  }
  // Classes may be called so; splits come with training images.
  if (folders.empty() || folders[0].second != DataSplit::kTrain) return {};
  return folders;
}

ImageListing ListFolders(const fs::path& folder) {
  ImageListing listing;
  std::vector<std::string> names;
  const auto add = [&](const fs::path& of, std::optional<DataSplit> split) {
    for (const auto& [file, name] : ImagesByClass(of)) {
      listing.entries.push_back({file, -1, split});
      names.push_back(name);
    }
  };
  const auto splits = SplitFolders(folder);
  for (const auto& [of, split] : splits) add(of, split);
  if (splits.empty()) add(folder, std::nullopt);
  const auto is_nameless = [](const std::string& name) { return name.empty(); };
  if (std::ranges::all_of(names, is_nameless)) return listing;
  if (std::ranges::any_of(names, is_nameless)) {
    throw BadInput(folder.string(),
                   ": some of its splits have a folder for each class and some have not");
  }
  NumberClasses(names, &listing);
  return listing;
}

}  // namespace

ImageListing ListImages(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    throw BadInput(folder.string(), ": no such folder; name one with images after images:");
  }
  ImageListing listing;
  const fs::path csv = folder / "labels.csv";
  if (fs::exists(csv)) {
    std::vector<std::string> names;
    for (const LabelledFile& line : ParseLabelsCsv(ReadFile(csv), csv)) {
      listing.entries.push_back({line.file, -1, line.split});
      names.push_back(line.label);
    }
    NumberClasses(names, &listing);
  } else {
    listing = ListFolders(folder);
  }
  if (listing.entries.empty()) {
    throw BadInput(folder.string(), ": holds no images (.jpg, .jpeg, .png) and no labels.csv");
  }
  return listing;
}

}  // namespace fettle
