#include "tests/support/peer.h"

namespace fettle {

OnnxRuntimePeerOptions InstalledPeer() { return {.script = FETTLE_ONNXRUNTIME_PEER}; }

}  // namespace fettle
