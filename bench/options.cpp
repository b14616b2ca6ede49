#include "bench/options.hpp"

#include <boost/program_options.hpp>
#include <iostream>

namespace genapp::bench {

namespace po = boost::program_options;

int run_benchmark(int argc, char** argv, const char* what, int runs,
                  const std::function<void(const Options&)>& benchmark) {
  Options options;
  po::options_description known;
  known.add_options()("help", "this text")(
      "rounds", po::value(&options.rounds)->default_value(options.rounds), "interleaved rounds")(
      "runs", po::value(&options.runs)->default_value(runs), what)(
      "json", po::value(&options.json), "writes all figures, every round's too, to this file");
  try {
    po::variables_map found;
    po::store(po::parse_command_line(argc, argv, known), found);
    po::notify(found);
    if (found.count("help")) {
      std::cout << known;
      return 0;
    }
    if (options.rounds < 1 || options.runs < 1) throw std::runtime_error("at least 1 of each");
    benchmark(options);
    return 0;
  } catch (const std::exception& problem) {
    std::cerr << argv[0] << ": error: " << problem.what() << "\n";
    return 1;
  }
}

}  // namespace genapp::bench
