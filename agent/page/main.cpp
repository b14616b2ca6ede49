// states_page md|svg: docs/states.md and docs/states.svg.

#include <stdio.h>

#include <string_view>

#include "agent/states_page.hpp"

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what != "md" && what != "svg") {
    ::fputs("usage: states_page md|svg\n", stderr);
    return 64;
  }
  ::fputs((what == "md" ? genapp::agent::states_markdown() : genapp::agent::states_svg()).c_str(),
          stdout);
}
