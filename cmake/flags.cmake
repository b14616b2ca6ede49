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
  target_compile_options(genapp_flags INTERFACE
    -fsanitize=${GENAPP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(genapp_flags INTERFACE -fsanitize=${GENAPP_SANITIZE})
endif()

# A program of genapp's: genapp_executable(NAME sources... LIBRARIES ... DESTINATION ...)
function(genapp_executable name)
  cmake_parse_arguments(ARG "" "DESTINATION" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} genapp_flags)
  if(GENAPP_STATIC)
    target_link_options(${name} PRIVATE -static)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  install(TARGETS ${name} DESTINATION ${ARG_DESTINATION})
endfunction()
