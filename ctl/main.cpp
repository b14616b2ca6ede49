#include "ctl/commands.hpp"

int main(int argc, char** argv) { return genapp::ctl::run_genapp(argc, argv); }
