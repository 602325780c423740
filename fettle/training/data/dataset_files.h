#pragma once

#include "fettle/training/data/data_spec.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

// Reads a dataset's files. The validation split is held out of the training files by a fixed seed,
// the same for everybody: a tenth of each class, but at most 500 images of it (of Fashion-MNIST and
// CIFAR-10 thus 5,000 images in all). The images of a split stand in the files' order.
//
// mnist and fashion-mnist: {train,t10k}-images-idx3-ubyte and -labels-idx1-ubyte, plain or .gz.
// cifar10: data_batch_1.bin ... data_batch_5.bin and test_batch.bin.
//
// Throws an Error that names the file and the remedy where one is missing, damaged or hostile.
Dataset LoadDataset(const DataSpec& spec);

}  // namespace fettle
