# How everything is compiled and linked.

add_library(genapp_flags INTERFACE)
target_include_directories(genapp_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(genapp_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wno-missing-field-initializers -Werror
  -ffunction-sections -fdata-sections)
target_link_options(genapp_flags INTERFACE -Wl,--gc-sections)
target_compile_definitions(genapp_flags INTERFACE
  GENAPP_VERSION="${PROJECT_VERSION}"
  BOOST_ASIO_NO_DEPRECATED BOOST_ALL_NO_LIB)

if(CMAKE_INTERPROCEDURAL_OPTIMIZATION AND GENAPP_TESTS)
  # Machine code beside the link-time form, for the test executables.
  target_compile_options(genapp_flags INTERFACE -ffat-lto-objects)
endif()

if(GENAPP_SANITIZE)
  # The daemon's system-call filter and file rules are left out: a sanitizer's runtime needs more.
  target_compile_definitions(genapp_flags INTERFACE GENAPP_SANITIZED)
  target_compile_options(genapp_flags INTERFACE
    -fsanitize=${GENAPP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    # The tests' own code: see tests/CMakeLists.txt.
    $<$<BOOL:$<TARGET_PROPERTY:GENAPP_BUILD_QUICKLY>>:-fno-sanitize=undefined>)
  target_link_options(genapp_flags INTERFACE -fsanitize=${GENAPP_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND GENAPP_SANITIZE MATCHES "thread")
    # Asio has a fence, which g++ warns that ThreadSanitizer does not understand: it may report a race
    # that is none there, and hides none.
    target_compile_options(genapp_flags INTERFACE -Wno-tsan)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND GENAPP_SANITIZE MATCHES "address")
    # The tests start thousands of programs, and half of what that costs is relocating the runtime and
    # themselves.
    target_compile_options(genapp_flags INTERFACE -fno-pie)
    # Not libstdc++: AddressSanitizer hears of exceptions by standing before its functions.
    target_link_options(genapp_flags INTERFACE -no-pie -static-libasan -static-libubsan)
  endif()
endif()

# Sources that are compiled as one where CMAKE_UNITY_BUILD is on (all presets but dev and fuzz): most
# of a small source's compile time is its headers. Those that aren't named stay apart: the long ones,
# which would keep one processor waiting, and those with a name of their own that another has too.
function(genapp_compile_together target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
  set_source_files_properties(${ARGN} PROPERTIES UNITY_GROUP together)
endfunction()

# Sources of a target that are otherwise all compiled together: those with a name of their own that
# another has too.
function(genapp_compile_apart)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# A program of genapp's: genapp_executable(NAME sources... LIBRARIES ... DESTINATION ...
#   [COMPONENT the package that it goes to, by default genapp]
#   [DYNAMIC])  DYNAMIC: with the name service's modules, and libraries that must be updated apart.
function(genapp_executable name)
  set(ARG_COMPONENT ${CMAKE_INSTALL_DEFAULT_COMPONENT_NAME})
  cmake_parse_arguments(ARG "DYNAMIC" "DESTINATION;COMPONENT" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} genapp_flags)
  if(GENAPP_STATIC AND ARG_DYNAMIC)
    target_link_options(${name} PRIVATE -static-libstdc++ -static-libgcc)
  elseif(GENAPP_STATIC)
    target_link_options(${name} PRIVATE -static)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  install(TARGETS ${name} DESTINATION ${ARG_DESTINATION} COMPONENT ${ARG_COMPONENT})
endfunction()

# Sources in which Beast's templates are nearly all there is: with UndefinedBehaviorSanitizer each takes
# a minute and a half to compile. AddressSanitizer stays.
function(genapp_without_undefined_behavior_sanitizer)
  if(GENAPP_SANITIZE MATCHES "undefined")
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS -fno-sanitize=undefined)
  endif()
endfunction()

# Targets that link-time optimisation makes half a minute slower to build and nothing else: what is
# their own is little beside OpenSSL, Asio and Beast, and they wait for a network.
function(genapp_without_link_time_optimisation)
  foreach(target ${ARGN})
    set_target_properties(${target} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
    target_link_options(${target} PRIVATE -fno-lto)
  endforeach()
endfunction()

# What is installed compressed: genapp_gzip(NAME SOURCE RESULT) makes RESULT in this build folder.
function(genapp_gzip name source result)
  # No name and no time in it: the same source gives the same bytes.
  add_custom_command(OUTPUT ${result}
    COMMAND gzip -9 -n -c ${source} > ${result}
    DEPENDS ${source} VERBATIM)
  add_custom_target(gzip_${name} ALL DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/${result})
endfunction()
