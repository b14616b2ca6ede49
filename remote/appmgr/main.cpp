// appmgr: starts a command on another host and stays with it.

#include <unistd.h>

#include <string>
#include <vector>

#include "common/program.hpp"
#include "remote/appmgr/client.hpp"
#include "remote/appmgr/options.hpp"

int main(int argc, char** argv) {
  using namespace genapp;
  // The original's -help and -version, too.
  const std::vector<std::string> arguments = remote::in_our_spelling(argc, argv);
  std::vector<const char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  pointers.push_back(nullptr);
  const std::string usage = remote::appmgr_usage();
  const int code = common::run_program(
      {"appmgr", "starts a command on another host and stays with it", usage},
      static_cast<int>(arguments.size()), pointers.data(),
      [&] { return remote::run_manager(remote::parse_appmgr_options(argc, argv)); });
  // Without waiting for threads: client.hpp. Standard output is flushed.
  ::_exit(code);
}
