#include "ctl/drill/args.hpp"

#include <boost/program_options.hpp>

#include "common/error.hpp"
#include "common/printable.hpp"
#include "ctl/options.hpp"

namespace genapp::ctl::drill {
namespace {

namespace po = boost::program_options;
using common::Error;
using common::ExitCode;

std::string names() {
  std::string text;
  for (const Row& row : kFaults) text += (text.empty() ? "" : ", ") + std::string(row.name);
  return text;
}

std::vector<Fault> faults_of(const po::variables_map& found) {
  const bool all = found["all"].as<bool>();
  if (all == (found.count("fault") > 0)) {
    throw Error("give either --fault or --all; the faults are: " + names(), ExitCode::usage);
  }
  std::vector<Fault> faults;
  if (all) {
    for (const Row& row : kFaults) faults.push_back(row.fault);
    return faults;
  }
  const std::string name = found["fault"].as<std::string>();
  const auto fault = parse_fault(name);
  if (!fault) {
    throw Error("--fault " + common::quoted(name) + " must be one of: " + names(), ExitCode::usage);
  }
  return {*fault};
}

}  // namespace

Args parse_args(int argc, const char* const* argv) {
  po::options_description options;
  options.add_options()("tag,t", po::value<std::string>())("fault", po::value<std::string>())(
      "all", po::bool_switch())("json", po::bool_switch())("yes", po::bool_switch())(
      "probe", po::bool_switch())("programs", po::value<std::string>()->default_value(""));
  const po::variables_map found = parse_options(options, "", argc, argv);
  return {.tag = common::Tag(required(found, "tag", "-t TAG")),
          .faults = faults_of(found),
          .json = found["json"].as<bool>(),
          .yes = found["yes"].as<bool>(),
          .probe = found["probe"].as<bool>(),
          .programs = found["programs"].as<std::string>()};
}

}  // namespace genapp::ctl::drill
