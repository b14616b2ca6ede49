# Fails unless every key of [lbhc] that the code knows is in the guide and in the man page.
#   cmake -D SOURCE_DIR=... -P shown_keys.cmake

file(READ ${SOURCE_DIR}/lbhc/config.cpp code)
file(READ ${SOURCE_DIR}/docs/lbhc.md guide)
file(READ ${SOURCE_DIR}/docs/man/genapp.toml.5 page)

string(REGEX MATCHALL "Key{\"[a-z0-9_]+\"" entries "${code}")
list(LENGTH entries count)
string(REGEX MATCHALL "apply_[a-z0-9_]+}" functions "${code}")
list(LENGTH functions expected)
if(count EQUAL 0 OR NOT count EQUAL expected)
  message(FATAL_ERROR "lbhc/config.cpp: ${count} keys found, ${expected} expected: has kKeys changed its form?")
endif()

foreach(entry ${entries})
  string(REGEX REPLACE "Key{\"(.*)\"" "\\1" key "${entry}")
  # A row of the guide's table, and an item of the page's list.
  string(FIND "${guide}" "\n| `${key}` |" in_guide)
  string(FIND "${page}" "\n.It Cm ${key}\n" in_page)
  if(in_guide EQUAL -1)
    message(SEND_ERROR "docs/lbhc.md has no row for the key ${key}")
  endif()
  if(in_page EQUAL -1)
    message(SEND_ERROR "docs/man/genapp.toml.5 has no item for the key ${key}")
  endif()
endforeach()
message(STATUS "${count} keys, each in docs/lbhc.md and genapp.toml.5")
