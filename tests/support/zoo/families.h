#pragma once

#include <string>

#include "tests/support/model_zoo.h"

namespace fettle {

// Each writes one network of its family; model_zoo.cpp has the list.

// He, Zhang, Ren & Sun, "Deep Residual Learning for Image Recognition", CVPR 2016; as torchvision
// has them. ResNet-20 is the one for CIFAR, with shortcuts that subsample and pad (its option A).
std::string MakeResNet18(const ModelOptions& options);
std::string MakeResNet50(const ModelOptions& options);
std::string MakeResNet20(const ModelOptions& options);
// Xie et al., "Aggregated Residual Transformations for Deep Neural Networks", CVPR 2017: 32x4d.
std::string MakeResNeXt50(const ModelOptions& options);

// Zagoruyko & Komodakis, "Wide Residual Networks", BMVC 2016; for CIFAR.
std::string MakeWrn16x1(const ModelOptions& options);
std::string MakeWrn16x2(const ModelOptions& options);
std::string MakeWrn40x2(const ModelOptions& options);

// Howard et al., "MobileNets", arXiv 1704.04861, 2017; as Keras has it.
std::string MakeMobileNetV1(const ModelOptions& options);
// Sandler et al., "MobileNetV2", CVPR 2018; as torchvision has it.
std::string MakeMobileNetV2(const ModelOptions& options);

// Iandola et al., "SqueezeNet", arXiv 1602.07360, 2016; version 1.1.
std::string MakeSqueezeNet(const ModelOptions& options);
// Zhang et al., "ShuffleNet", CVPR 2018; 1x with 4 groups.
std::string MakeShuffleNet(const ModelOptions& options);

// Huang et al., "Densely Connected Convolutional Networks", CVPR 2017; as torchvision has it.
std::string MakeDenseNet121(const ModelOptions& options);

// Szegedy et al., "Going Deeper with Convolutions", CVPR 2015. GoogLeNet is torchvision's, with
// batch norm and 3x3 where the paper has 5x5; InceptionV1 is the paper's, with local response
// normalisation and biases. Both without the auxiliary classifiers.
std::string MakeGoogLeNet(const ModelOptions& options);
std::string MakeInceptionV1(const ModelOptions& options);

// Simonyan & Zisserman, "Very Deep Convolutional Networks", ICLR 2015; configuration E.
std::string MakeVgg19(const ModelOptions& options);
// Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014;
// torchvision's.
std::string MakeAlexNet(const ModelOptions& options);

}  // namespace fettle
