#include "monitor/command.hpp"

int main(int argc, char** argv) {
  return genapp::monitor::run_command(genapp::monitor::Protocol::smtp, argc, argv);
}
