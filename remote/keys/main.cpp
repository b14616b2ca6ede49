#include "remote/keys/commands.hpp"

int main(int argc, char** argv) { return genapp::remote::keys::run_keys(argc, argv); }
