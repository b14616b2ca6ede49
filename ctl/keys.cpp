#include <errno.h>
#include <unistd.h>

#include <array>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "common/program_folder.hpp"
#include "ctl/commands.hpp"

namespace genapp::ctl {

common::ExitCode keys(int argc, const char* const* argv) {
  constexpr std::array<std::string_view, 1> kProgram{"genapp-keys"};
  const std::string program =
      common::find_programs("", kProgram, "install the package genapp whole") + "/genapp-keys";
  std::vector<char*> arguments{const_cast<char*>(kProgram.front().data())};
  for (int i = 1; i < argc; ++i) arguments.push_back(const_cast<char*>(argv[i]));
  arguments.push_back(nullptr);
  ::execv(program.c_str(), arguments.data());
  throw common::system_error("running " + program, errno);
}

}  // namespace genapp::ctl
