# The sanitizers of FETTLE_SANITIZE, see docs/decisions/0003.
function(fettle_sanitize target)
  if(NOT FETTLE_SANITIZE)
    return()
  endif()
  target_compile_options(${target} PRIVATE -fsanitize=${FETTLE_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  if(FETTLE_SANITIZE MATCHES "address")
    target_compile_options(${target} PRIVATE
      -fno-sanitize=null,object-size,pointer-overflow,vptr
      $<$<CXX_COMPILER_ID:GNU>:--param=asan-instrumentation-with-call-threshold=100>)
  endif()
  target_link_options(${target} PUBLIC -fsanitize=${FETTLE_SANITIZE})
endfunction()

# Compile options shared by everything we build ourselves.
function(fettle_compile_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow)
  fettle_sanitize(${target})
endfunction()

# Under the sanitizers what computes a lot is compiled at -O1; the rest stays at -O0, which compiles
# twice as fast.
function(fettle_optimise_sanitized target)
  if(FETTLE_SANITIZE)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Debug>:-O1>)
  endif()
endfunction()

# fettle_rung(NAME [COMPUTES] SOURCES a.cpp ... USES fettle::core ... [THIRD_PARTY lib ...])
#
# One rung of the ladder: the library fettle_NAME (fettle::NAME), its headers installed under
# include/fettle/. USES is the rungs it may include; they become part of its interface.
# THIRD_PARTY stays private: no header of ours may include another project's. COMPUTES: see
# fettle_optimise_sanitized.
function(fettle_rung name)
  cmake_parse_arguments(ARG "COMPUTES" "" "SOURCES;USES;THIRD_PARTY" ${ARGN})
  set(target fettle_${name})
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(fettle::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name}
    POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PUBLIC ${ARG_USES} PRIVATE ${ARG_THIRD_PARTY})
  fettle_compile_options(${target})
  if(ARG_COMPUTES)
    fettle_optimise_sanitized(${target})
  endif()
  install(TARGETS ${target} EXPORT fettle ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  file(RELATIVE_PATH rung_folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  install(DIRECTORY ./ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${rung_folder}
    FILES_MATCHING PATTERN "*.h")
endfunction()

# fettle_test(NAME SOURCES a_test.cpp ... USES fettle::NAME ...)
#
# The tests of one rung as one program, each case known to ctest by its own name. Idle OpenMP threads
# sleep: spinning ones make tests side by side on few cores tens of times slower.
function(fettle_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  set(target fettle_${name}_tests)
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE ${ARG_USES} GTest::gmock GTest::gtest_main)
  fettle_compile_options(${target})
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)  # half the time to compile
  gtest_discover_tests(${target} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600
    ENVIRONMENT OMP_WAIT_POLICY=passive)
endfunction()
