# What is installed beside the rungs' libraries and headers and the program.
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/fettle)
install(EXPORT fettle NAMESPACE fettle:: FILE fettle-targets.cmake DESTINATION ${package_folder})
configure_package_config_file(cmake/fettle-config.cmake.in
  ${PROJECT_BINARY_DIR}/fettle-config.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/fettle-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/fettle-config.cmake
  ${PROJECT_BINARY_DIR}/fettle-config-version.cmake DESTINATION ${package_folder})

# The peer: its script, and ONNX Runtime itself where tools/install_peer has put it; where it has
# not, the same script, installed beside it, does so later.
set(peer_folder ${CMAKE_INSTALL_DATADIR}/fettle)
install(PROGRAMS tools/install_peer DESTINATION ${peer_folder})
install(FILES tools/onnxruntime/peer.mjs tools/onnxruntime/package.json
  tools/onnxruntime/package-lock.json DESTINATION ${peer_folder}/onnxruntime)
install(DIRECTORY tools/onnxruntime/node_modules DESTINATION ${peer_folder}/onnxruntime OPTIONAL
  PATTERN darwin EXCLUDE PATTERN win32 EXCLUDE)
