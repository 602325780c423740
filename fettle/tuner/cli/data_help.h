#pragma once

namespace fettle {

// What --help says of DATA.
inline constexpr const char* kDataHelp =
    "The dataset: fashion-mnist[:DIR], mnist:DIR, cifar10:DIR, cifar100:DIR, images:DIR (JPEG and "
    "PNG, a folder for each class or a labels.csv) or npz:FILE, with options such as "
    "'?split=validation&mean=0.5&std=0.25', '?resize=256&crop=224' or '?labels=none'; see "
    "docs/data.md.";

}  // namespace fettle
