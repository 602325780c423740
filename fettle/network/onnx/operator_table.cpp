#include "fettle/network/onnx/operator_table.h"

namespace fettle {
namespace {

constexpr struct {
  std::string_view op_type;
  OperatorImporter importer;
} kOperators[] = {
    {"Abs", ImportHostUnary},
    {"Add", ImportBinary},
    {"And", ImportHostBinary},
    {"AveragePool", ImportPool},
    {"BatchNormalization", ImportBatchNormalization},
    {"Cast", ImportCast},
    {"Ceil", ImportHostUnary},
    {"Clip", ImportClip},
    {"Concat", ImportConcat},
    {"Constant", ImportConstant},
    {"ConstantOfShape", ImportConstantOfShape},
    {"Conv", ImportConv},
    {"Div", ImportBinary},
    {"Dropout", ImportDropout},
    {"Equal", ImportHostBinary},
    {"Expand", ImportExpand},
    {"Flatten", ImportFlatten},
    {"Floor", ImportHostUnary},
    {"Gather", ImportGather},
    {"Gemm", ImportGemm},
    {"GlobalAveragePool", ImportGlobalAveragePool},
    {"Greater", ImportHostBinary},
    {"GreaterOrEqual", ImportHostBinary},
    {"HardSigmoid", ImportHardSigmoid},
    {"HardSwish", ImportPlainActivation},
    {"Identity", ImportIdentity},
    {"LRN", ImportLrn},
    {"LeakyRelu", ImportLeakyRelu},
    {"Less", ImportHostBinary},
    {"LessOrEqual", ImportHostBinary},
    {"MatMul", ImportMatMul},
    {"Max", ImportHostBinary},
    {"MaxPool", ImportPool},
    {"Min", ImportHostBinary},
    {"Mod", ImportHostBinary},
    {"Mul", ImportBinary},
    {"Neg", ImportHostUnary},
    {"Not", ImportHostUnary},
    {"Or", ImportHostBinary},
    {"Pad", ImportPad},
    {"Range", ImportRange},
    {"ReduceMax", ImportHostReduce},
    {"ReduceMean", ImportReduceMean},
    {"ReduceMin", ImportHostReduce},
    {"ReduceProd", ImportHostReduce},
    {"ReduceSum", ImportHostReduce},
    {"Relu", ImportPlainActivation},
    {"Reshape", ImportReshape},
    {"Resize", ImportResize},
    {"Shape", ImportShape},
    {"Sigmoid", ImportPlainActivation},
    {"Size", ImportSize},
    {"Slice", ImportSlice},
    {"Softmax", ImportSoftmax},
    {"Split", ImportSplit},
    {"Sqrt", ImportHostUnary},
    {"Squeeze", ImportSqueeze},
    {"Sub", ImportBinary},
    {"Sum", ImportSum},
    {"Tanh", ImportPlainActivation},
    {"Tile", ImportTile},
    {"Transpose", ImportTranspose},
    {"Unsqueeze", ImportUnsqueeze},
    {"Upsample", ImportUpsample},
    {"Where", ImportWhere},
};

}  // namespace

OperatorImporter FindImporter(std::string_view op_type) {
  for (const auto& entry : kOperators) {
    if (entry.op_type == op_type) return entry.importer;
  }
  return nullptr;
}

}  // namespace fettle
