# Warnings are errors, lld links, ccache caches; WEFT_SANITIZE picks the sanitizers of a build.
set(WEFT_SANITIZE "" CACHE STRING "empty, address or thread")

add_library(weft_flags INTERFACE)
target_compile_options(weft_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough -Werror)
target_compile_definitions(weft_flags INTERFACE FMT_HEADER_ONLY=1 SPDLOG_FMT_EXTERNAL=1 SPDLOG_HEADER_ONLY=1)
add_link_options(-fuse-ld=lld)

if(WEFT_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(WEFT_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(WEFT_SANITIZE)
  message(FATAL_ERROR "WEFT_SANITIZE is '${WEFT_SANITIZE}'; it may be empty, address or thread")
endif()

option(WEFT_FUZZ "build each *_fuzz.cc as a libFuzzer program" OFF)
if(WEFT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# All rooms alike, or the precompiled headers would not fit those whose libraries want threads.
add_compile_options(-pthread)

option(WEFT_COVERAGE "count which lines run, for llvm-cov" OFF)
if(WEFT_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()

# Half of the time of a build goes into reading headers once more. Without it each file must include what it uses: so does
# the preset of `make lint`.
option(WEFT_PRECOMPILE "read the headers that many files include once for all of them" ON)

# weft_precompiled(NAME HEADER...): a target NAME that compiles the headers that nearly every file reads, and these, for
# the targets of weft_precompile(TARGET NAME). What it is compiled with, they must be too.
function(weft_precompiled name)
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc "")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  target_compile_definitions(${name} PRIVATE GTEST_HAS_PTHREAD=1)
  # Without it no two builds were alike, and ccache would find nothing.
  target_compile_options(${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  list(TRANSFORM ARGN REPLACE "(.+)" "\"\\1\"")
  target_precompile_headers(${name} PRIVATE <algorithm> <array> <charconv> <chrono> <coroutine> <deque> <expected> <filesystem>
    <fstream> <functional> <list> <map> <memory> <optional> <random> <set> <span> <string> <string_view> <thread> <unordered_map>
    <variant> <vector> <gtest/gtest.h> ${ARGN})
endfunction()

function(weft_precompile target name)
  if(TARGET ${name})
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections -Wl,--icf=safe)
endif()

find_program(WEFT_CCACHE ccache)
if(WEFT_CCACHE)
  set(launcher ${CMAKE_SOURCE_DIR}/cmake/compile ${CMAKE_SOURCE_DIR} ${WEFT_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

# A program for release carries its libraries: nothing to install beside it, and no dynamic linker to wait for, which
# takes longer than all else that a sidecar does before it is ready. Sanitizers need the dynamic ones.
set(WEFT_STATIC OFF)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT WEFT_SANITIZE)
  set(WEFT_STATIC ON)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
  set(Protobuf_USE_STATIC_LIBS ON)
  set(OPENSSL_USE_STATIC_LIBS ON)
  # A build directory made before this was so remembers shared libraries, which cannot be linked into such a program.
  get_cmake_property(cached CACHE_VARIABLES)
  foreach(name IN LISTS cached)
    if("${${name}}" MATCHES "\\.so$")
      unset(${name} CACHE)
    endif()
  endforeach()
endif()

# weft_program(TARGET): how our programs are linked.
function(weft_program target)
  if(WEFT_SANITIZE STREQUAL "thread")
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/reports)
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/tsan_defaults.cc)
    set_source_files_properties(${CMAKE_SOURCE_DIR}/cmake/tsan_defaults.cc TARGET_DIRECTORY ${target}
      PROPERTIES COMPILE_DEFINITIONS WEFT_TSAN_REPORTS="${CMAKE_BINARY_DIR}/reports")
  endif()
  if(WEFT_STATIC)
    target_link_options(${target} PRIVATE -static-pie -Wl,-z,pack-relative-relocs)
  endif()
endfunction()
