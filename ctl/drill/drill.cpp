// genapp drill: the command.

#include <stdio.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "common/error.hpp"
#include "common/printable.hpp"
#include "ctl/commands.hpp"
#include "ctl/drill/args.hpp"
#include "ctl/drill/interruption.hpp"
#include "ctl/drill/report.hpp"
#include "ctl/drill/run_fault.hpp"
#include "ctl/drill/target.hpp"
#include "ctl/drill/trouble.hpp"
#include "ctl/output.hpp"

namespace genapp::ctl {
namespace {

using common::Error;
using common::ExitCode;
using drill::Args;
using drill::Fault;
using drill::Interruption;
using drill::Report;
using drill::Target;
using drill::Trial;

std::string described(const Target& target) {
  return "\"" + target.tag.text() + "\" (id " + target.id.text() + ", port " +
         std::to_string(target.config.port) + ", HC_TIMEOUT " +
         common::seconds_text(target.hc_timeout) + " s)";
}

// Before anything is looked for: a script without --yes must fail the same way on every node.
void require_consent_can_be_had(const Args& args) {
  if (args.yes || ::isatty(STDIN_FILENO) == 1) return;
  throw Error("a drill makes real faults and asks first: without a terminal give --yes",
              ExitCode::usage);
}

void ask(const Target& target, const Args& args) {
  if (args.yes) return;
  ::fprintf(stderr,
            "This makes real faults on %s, which is in service now; probes go unanswered for a "
            "moment.\nSuspend the cluster manager's monitoring of it first: it would see them, "
            "too. Go on? [y/N] ",
            described(target).c_str());
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return;
  throw Error("not confirmed: nothing was done");
}

// With --json standard output is for the one document.
void tell(const Args& args, const std::string& lines) {
  if (!args.json) return print(lines);
  ::fwrite(lines.data(), 1, lines.size(), stderr);
}

void require_health(Target& target, Interruption& interruption) {
  drill::require_health(
      target, [&](int pidfd) { return interruption.wait(pidfd, std::chrono::seconds(1)); });
}

// Why the fault is not to be made; empty when it may be.
std::string obstacle(Fault fault, Target& target, Interruption& interruption) {
  if (interruption.signal()) return "the drill was interrupted";
  std::string why = drill::why_not(fault, target);
  if (!why.empty()) return why;
  try {
    require_health(target, interruption);
  } catch (const Error& problem) {
    return problem.what();
  }
  return "";
}

Trial run_one(Fault fault, const Args& args, Target& target, Interruption& interruption) {
  const drill::Row& row = drill::row_of(fault);
  tell(args, "fault " + std::string(row.name) + ": " + std::string(row.summary) + "\n");
  Trial run{.fault = fault, .not_run = obstacle(fault, target, interruption)};
  if (run.not_run.empty()) {
    run = drill::run_fault(fault, target, interruption,
                           [&](const std::string& lines) { tell(args, lines); });
  }
  tell(args, drill::result_lines(run));
  return run;
}

Report run_all(const Args& args, Target& target, Interruption& interruption) {
  Report report{.tag = target.tag.text(),
                .id = target.id.text(),
                .port = target.config.port,
                .hc_timeout = std::chrono::round<drill::Milliseconds>(target.hc_timeout),
                .runs = {}};
  tell(args, "drill of " + described(target) + "\n");
  for (const Fault fault : args.faults) {
    report.runs.push_back(run_one(fault, args, target, interruption));
  }
  return report;
}

}  // namespace

ExitCode run_drill(int argc, const char* const* argv) {
  const Args args = drill::parse_args(argc, argv);
  require_consent_can_be_had(args);
  Target target = drill::find_target(args);
  ask(target, args);
  Interruption interruption;
  require_health(target, interruption);
  const Report report = run_all(args, target, interruption);
  if (report.runs.size() > 1) tell(args, "\n" + drill::summary_table(report));
  if (args.json) print(drill::report_json(report));
  return drill::all_well(report) ? ExitCode::ok : ExitCode::failed;
}

}  // namespace genapp::ctl
