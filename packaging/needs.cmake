# Run by cpack before it packs.
# Without dpkg-shlibdeps CPack would leave out of Depends what the executables are linked with, and say
# so in one line that nobody reads. find_program needs no project.
find_program(shlibdeps dpkg-shlibdeps)
if(NOT shlibdeps)
  message(FATAL_ERROR "dpkg-shlibdeps is missing: tools/packages.sh package")
endif()
