// Only so that the precompiled headers have a target: see tests/CMakeLists.txt.
