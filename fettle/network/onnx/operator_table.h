#pragma once

#include <string_view>

#include "fettle/network/onnx/node_import.h"

// The operators of ONNX that can be imported. Adding one is a function that turns a node into ours
// (or computes it, where its inputs are known) and a line in operator_table.cpp.

namespace fettle {

using OperatorImporter = void (*)(NodeImport& node);

// Null for an operator that is not in the table.
OperatorImporter FindImporter(std::string_view op_type);

// import_conv.cpp, import_pool.cpp
void ImportConv(NodeImport& node);
void ImportPool(NodeImport& node);
void ImportGlobalAveragePool(NodeImport& node);

// import_matrix.cpp, import_normalization.cpp, import_reduce.cpp
void ImportGemm(NodeImport& node);
void ImportMatMul(NodeImport& node);
void ImportBatchNormalization(NodeImport& node);
void ImportLrn(NodeImport& node);
void ImportReduceMean(NodeImport& node);
void ImportHostReduce(NodeImport& node);

// import_activation.cpp, import_softmax.cpp
void ImportPlainActivation(NodeImport& node);
void ImportClip(NodeImport& node);
void ImportLeakyRelu(NodeImport& node);
void ImportHardSigmoid(NodeImport& node);
void ImportSoftmax(NodeImport& node);

// import_arithmetic.cpp
void ImportBinary(NodeImport& node);
void ImportSum(NodeImport& node);
void ImportCast(NodeImport& node);
void ImportIdentity(NodeImport& node);
void ImportDropout(NodeImport& node);

// import_join.cpp, import_slice.cpp
void ImportConcat(NodeImport& node);
void ImportSplit(NodeImport& node);
void ImportSlice(NodeImport& node);

// import_reshape.cpp
void ImportReshape(NodeImport& node);
void ImportFlatten(NodeImport& node);
void ImportSqueeze(NodeImport& node);
void ImportUnsqueeze(NodeImport& node);
void ImportTranspose(NodeImport& node);

// import_pad.cpp, import_resize.cpp
void ImportPad(NodeImport& node);
void ImportResize(NodeImport& node);
void ImportUpsample(NodeImport& node);

// import_constant.cpp
void ImportConstant(NodeImport& node);
void ImportConstantOfShape(NodeImport& node);
void ImportShape(NodeImport& node);
void ImportSize(NodeImport& node);

// Only computed at import: import_host_arithmetic.cpp, import_host_movement.cpp
void ImportHostUnary(NodeImport& node);
void ImportHostBinary(NodeImport& node);
void ImportWhere(NodeImport& node);
void ImportGather(NodeImport& node);
void ImportExpand(NodeImport& node);
void ImportRange(NodeImport& node);
void ImportTile(NodeImport& node);

}  // namespace fettle
