#pragma once

#include "fettle/device/peers/onnxruntime/onnxruntime_peer.h"

namespace fettle {

// The peer that tools/install_peer has installed in the source tree.
OnnxRuntimePeerOptions InstalledPeer();

}  // namespace fettle
