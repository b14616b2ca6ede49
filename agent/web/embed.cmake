# Writes a C++ source that holds files' bytes (agent/web/page_file.hpp).
#   cmake -D RESULT=page_bytes.cpp -P embed.cmake -- FILE...

cmake_policy(VERSION 3.25)
set(arrays "")
set(rows "")
set(count 0)
set(is_file FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(is_file)
    get_filename_component(name ${CMAKE_ARGV${i}} NAME)
    file(READ ${CMAKE_ARGV${i}} bytes HEX)
    string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
    string(APPEND arrays "constexpr char kFile${count}[] = {${bytes}};\n")
    string(APPEND rows "    {\"${name}\", {kFile${count}, sizeof kFile${count}}},\n")
    math(EXPR count "${count} + 1")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(is_file TRUE)
  endif()
endforeach()
file(WRITE ${RESULT} "// Written by agent/web/embed.cmake.
#include \"agent/web/page_file.hpp\"

namespace genapp::agent {
namespace {

${arrays}
constexpr PageFile kFiles[] = {
${rows}};

}  // namespace

std::span<const PageFile> page_files() { return kFiles; }

}  // namespace genapp::agent
")
