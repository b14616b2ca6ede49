// keeper: the parent of one command of an appserver's, which starts it. For nobody's hands.

#include "common/program.hpp"
#include "remote/keeper/keeper.hpp"

int main(int argc, char** argv) {
  using namespace genapp;
  const common::Program program{"keeper", "the parent of a command that appserver has started",
                                "Only appserver starts it. See appserver(8).\n"};
  return common::run_program(program, argc, argv, [&] { return remote::keeper::keep(argc, argv); });
}
