#include "fettle/primitives/primitive_list.h"

#include "fettle/primitives/primitive_families.h"

namespace fettle {

PrimitiveList PrimitiveList::All() {
  std::vector<std::unique_ptr<Primitive>> list;
  list.push_back(MakeReference());  // stays the first
  list.push_back(MakeOnednnConv());
  list.push_back(MakeOnednnInnerProduct());
  list.push_back(MakeOnednnMatmul());
  list.push_back(MakeOnednnPool());
  list.push_back(MakeOnednnGlobalAveragePool());
  list.push_back(MakeOnednnEltwise());
  list.push_back(MakeOnednnSoftmax());
  list.push_back(MakeOnednnLrn());
  list.push_back(MakeOnednnBinary());
  list.push_back(MakeOnednnSum());
  list.push_back(MakeOnednnConcat());
  list.push_back(MakeOnednnReorder());
  list.push_back(MakeOnednnResampling());
  list.push_back(MakeOpenblasIm2colConv());
  list.push_back(MakeOpenblasIm2rowConv());
  list.push_back(MakeOpenblasPointwiseConv());
  list.push_back(MakeOpenblasKn2rowConv());
  list.push_back(MakeOpenblasInnerProduct());
  list.push_back(MakeOpenblasMatmul());
  list.push_back(MakeOwnActivation());
  list.push_back(MakeOwnBinary());
  list.push_back(MakeOwnCast());
  list.push_back(MakeOwnChannelAffine());
  list.push_back(MakeOwnConcat());
  list.push_back(MakeOwnDepthwiseConv());
  list.push_back(MakeOwnFftConv());
  list.push_back(MakeOwnGlobalAveragePool());
  list.push_back(MakeOwnGroupedConv());
  list.push_back(MakeOwnIm2ColConv());
  list.push_back(MakeOwnInnerProduct());
  list.push_back(MakeOwnInvertedResidual());
  list.push_back(MakeOwnLrn());
  list.push_back(MakeOwnPad());
  list.push_back(MakeOwnPool());
  list.push_back(MakeOwnReduceMean());
  list.push_back(MakeOwnReorder());
  list.push_back(MakeOwnReshape());
  list.push_back(MakeOwnResizeLinear());
  list.push_back(MakeOwnResizeNearest());
  list.push_back(MakeOwnSlice());
  list.push_back(MakeOwnSoftmax());
  list.push_back(MakeOwnSparseConv());
  list.push_back(MakeOwnTranspose());
  list.push_back(MakeOwnWinogradConv());
  return PrimitiveList(std::move(list));
}

const Primitive* PrimitiveList::Find(std::string_view implementation_name) const {
  const std::string_view name = implementation_name.substr(0, implementation_name.find(':'));
  for (const auto& primitive : primitives_) {
    if (primitive->Name() == name) return primitive.get();
  }
  return nullptr;
}

}  // namespace fettle
