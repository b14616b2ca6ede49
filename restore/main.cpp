#include "action/run_action.hpp"

int main(int argc, char** argv) {
  return genapp::action::run_action(genapp::action::Action::restore, argc, argv);
}
