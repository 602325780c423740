#include "fettle/training/data/image_listing.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/training/data/class_names.h"
#include "fettle/training/data/labels_csv.h"

namespace fettle {
namespace {

namespace fs = std::filesystem;

bool IsImage(const fs::path& file) {
  std::string suffix = file.extension().string();
  for (char& c : suffix) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return suffix == ".jpg" || suffix == ".jpeg" || suffix == ".png";
}

bool IsFolder(const fs::path& path) {
  std::error_code fault;
  return fs::is_directory(path, fault);
}

std::vector<fs::path> SortedContent(const fs::path& folder) {
  std::vector<fs::path> content;
  std::error_code fault;
  for (fs::directory_iterator entry(folder, fault); !fault && entry != fs::directory_iterator();
       entry.increment(fault)) {
    if (!entry->path().filename().string().starts_with('.')) content.push_back(entry->path());
  }
  if (fault) throw BadInput(folder.string(), ": cannot be read (", fault.message(), ")");
  std::ranges::sort(content);
  return content;
}

// Linked folders are not entered: they may lead in a circle.
void AddImagesBelow(const fs::path& folder, std::vector<fs::path>* images) {
  for (const fs::path& content : SortedContent(folder)) {
    std::error_code fault;
    if (IsFolder(content)) {
      if (!fs::is_symlink(content, fault)) AddImagesBelow(content, images);
    } else if (IsImage(content)) {
      if (!fs::is_regular_file(content, fault)) {
        throw BadInput(content.string(), ": is no file, or a link that leads nowhere; restore it ",
                       "or take it out of the dataset");
      }
      images->push_back(content);
    }
  }
}

struct LabelledImages {
  std::vector<std::pair<fs::path, std::string>> images;  // with the names of their classes
  std::vector<std::string> classes;                      // also those without images
};

// Without class folders the names are empty.
LabelledImages ImagesByClass(const fs::path& folder) {
  LabelledImages found;
  for (const fs::path& content : SortedContent(folder)) {
    if (!IsFolder(content)) continue;
    found.classes.push_back(content.filename().string());
    std::vector<fs::path> images;
    AddImagesBelow(content, &images);
    for (const fs::path& image : images) found.images.emplace_back(image, found.classes.back());
  }
  if (!found.images.empty()) return found;
  std::vector<fs::path> images;
  AddImagesBelow(folder, &images);
  for (const fs::path& image : images) found.images.emplace_back(image, "");
  return found;
}

std::vector<std::pair<fs::path, DataSplit>> SplitFolders(const fs::path& folder) {
  std::vector<std::pair<fs::path, DataSplit>> folders;
  for (const auto& [name, split] :
       {std::pair("train", DataSplit::kTrain), std::pair("validation", DataSplit::kValidation),
        std::pair("val", DataSplit::kValidation), std::pair("test", DataSplit::kTest)}) {
    if (IsFolder(folder / name)) folders.emplace_back(folder / name, split);
  }
  // Classes may be called so; splits come with training images.
  if (folders.empty() || folders[0].second != DataSplit::kTrain) return {};
  return folders;
}

// Gives each entry the label that its class's name means.
void NumberClasses(const fs::path& folder, const std::vector<std::string>& of_entries,
                   const std::vector<std::string>& known, ImageListing* listing) {
  ClassNames classes = ClassNames::Of(folder, of_entries, known);
  for (size_t i = 0; i < of_entries.size(); ++i) listing->entries[i].label = classes.labels[i];
  listing->classes = std::move(classes.names);
  listing->num_classes = classes.count;
}

ImageListing ListFolders(const fs::path& folder) {
  ImageListing listing;
  std::vector<std::string> names, classes;
  const auto add = [&](const fs::path& of, std::optional<DataSplit> split) {
    const LabelledImages found = ImagesByClass(of);
    for (const auto& [file, name] : found.images) {
      listing.entries.push_back({file, -1, split});
      names.push_back(name);
    }
    classes.insert(classes.end(), found.classes.begin(), found.classes.end());
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
  NumberClasses(folder, names, classes, &listing);
  return listing;
}

ImageListing ListCsv(const fs::path& folder, const fs::path& csv) {
  ImageListing listing;
  std::vector<std::string> names;
  for (const LabelledFile& line : ParseLabelsCsv(ReadFile(csv), csv)) {
    listing.entries.push_back({line.file, -1, line.split});
    names.push_back(line.label);
  }
  NumberClasses(folder, names, names, &listing);
  return listing;
}

}  // namespace

ImageListing ListImages(const fs::path& folder) {
  if (!IsFolder(folder)) {
    throw BadInput(folder.string(), ": no such folder; name one with images after images:");
  }
  const fs::path csv = folder / "labels.csv";
  std::error_code fault;
  ImageListing listing = fs::exists(csv, fault) ? ListCsv(folder, csv) : ListFolders(folder);
  if (listing.entries.empty()) {
    throw BadInput(folder.string(), ": holds no images (.jpg, .jpeg, .png) and no labels.csv");
  }
  return listing;
}

}  // namespace fettle
