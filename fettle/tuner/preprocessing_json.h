#pragma once

#include <string>

#include "fettle/training/data/dataset.h"

namespace fettle {

// What a program that runs the model must do to its images: {"layout":"nchw","channels","height",
// "width","resize","crop","pad","scale","mean":[...],"std":[...],"classes":[...]}, where resize and
// crop are null unless they are done, and the names of the classes are there where they are known.
std::string PreprocessingJson(const Dataset& dataset);

}  // namespace fettle
