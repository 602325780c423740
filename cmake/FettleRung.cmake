# Compile options shared by everything we build ourselves.
function(fettle_compile_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow)
  if(FETTLE_SANITIZE)
    # Left out, since the address sanitizer sees what follows from them where it happens, and half of
    # the time to compile goes into them: null, object-size, pointer-overflow; and vptr, for want of
    # casts down a hierarchy.
    target_compile_options(${target} PRIVATE -fsanitize=${FETTLE_SANITIZE}
      -fno-sanitize=null,object-size,pointer-overflow,vptr
      -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${FETTLE_SANITIZE})
  endif()
endfunction()

# fettle_rung(NAME SOURCES a.cpp ... USES fettle::core ... [THIRD_PARTY lib ...])
#
# One rung of the ladder: the library fettle_NAME (fettle::NAME), its headers installed under
# include/fettle/. USES is the rungs it may include; they become part of its interface.
# THIRD_PARTY stays private: no header of ours may include another project's.
function(fettle_rung name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;THIRD_PARTY" ${ARGN})
  set(target fettle_${name})
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(fettle::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name}
    POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PUBLIC ${ARG_USES} PRIVATE ${ARG_THIRD_PARTY})
  fettle_compile_options(${target})
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
