#pragma once

#include <functional>
#include <string>

namespace genapp::bench {

struct Options {
  int rounds = 5;
  int runs = 0;      // per round; what a run is, each benchmark says
  std::string json;  // file for the figures; empty: none
};

// The whole program around a benchmark: `PROGRAM [--rounds N] [--runs N] [--json FILE]`, its one
// catch, its exit code. `runs` is the default; `what` tells in the help what a run is.
int run_benchmark(int argc, char** argv, const char* what, int runs,
                  const std::function<void(const Options&)>& benchmark);

}  // namespace genapp::bench
