# Installs the build into a folder of its own, builds the consumer against it, runs what it built.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE ${SCRATCH})
function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${SCRATCH}/prefix)
run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${SCRATCH}/build
  -DCMAKE_PREFIX_PATH=${SCRATCH}/prefix -DCMAKE_CXX_COMPILER=${COMPILER}
  -DCMAKE_BUILD_TYPE=${BUILD_TYPE})
run(${CMAKE_COMMAND} --build ${SCRATCH}/build)
run(${SCRATCH}/build/small)
run(${SCRATCH}/prefix/bin/fettle --help)

set(peer ${SCRATCH}/prefix/share/fettle/onnxruntime)
foreach(file peer.mjs package.json package-lock.json ../install_peer)
  if(NOT EXISTS ${peer}/${file})
    message(FATAL_ERROR "${file} of the peer is not installed")
  endif()
endforeach()
execute_process(COMMAND ${SCRATCH}/build/whole ${SCRATCH}/prefix/bin/fettle
  COMMAND_ERROR_IS_FATAL ANY OUTPUT_VARIABLE found)
if(EXISTS ${peer}/node_modules AND NOT found MATCHES "^\"${peer}/peer.mjs\"")
  message(FATAL_ERROR "the installed program takes the peer from ${found}")
endif()
file(REMOVE_RECURSE ${SCRATCH})
