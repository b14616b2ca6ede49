#include "ctl/commands.hpp"

#include <array>
#include <string>
#include <string_view>

#include "common/error.hpp"
#include "common/printable.hpp"
#include "common/program.hpp"
#include "ctl/output.hpp"

namespace genapp::ctl {
namespace {

using common::Error;
using common::ExitCode;

struct Command {
  std::string_view name;
  std::string_view summary;
  std::string_view usage;  // empty: another program's, which has its own help
  ExitCode (*run)(int argc, const char* const* argv);
};

constexpr std::array kCommands{
    Command{
        "create", "makes a resource",
        "create -t TAG -i ID --info INFO [--type lbhc] [--set KEY=VALUE]...\n"
        "                     [--agent KEY=VALUE]...\n"
        "       genapp create -t TAG -i ID --type script [--info INFO] --set folder=PATH\n"
        "       genapp create -t TAG -i ID --type remote --node HOST [--set KEY=VALUE]...\n"
        "                     -- COMMAND [ARGUMENT...]\n"
        "  -t, --tag TAG     the resource's name\n"
        "  -i, --id ID       its identity on this node; names its run-time files\n"
        "  --info INFO       for lbhc: \"PORT [REPLY MESSAGE]\"; for others: any text\n"
        "  --type TYPE       lbhc, the default, script or remote\n"
        "  --node HOST       for remote: the guest on which the command runs\n"
        "  --set KEY=VALUE   a key of the resource's table, [lbhc], [script] or [remote]; VALUE\n"
        "                    is TOML (30, true, '[\"azure\"]'), else taken as a string\n"
        "  --agent KEY=VALUE a key of the table [agent], which genapp-agent reads\n",
        create},
    Command{"list", "lists the resources",
            "list [--json]\n"
            "  --json            one line of JSON\n",
            list},
    Command{"status", "shows how the resources are",
            "status [TAG] [--json] [--watch] [--interval SECONDS]\n"
            "  TAG               only this resource\n"
            "  --json            one line of JSON\n"
            "  --watch           again and again, until INT (Ctrl-C) or TERM\n"
            "  --interval S      seconds between two looks, 1 by default\n"
            "A dash stands for what does not apply, a question mark for what can't be told.\n",
            status},
    Command{"set-state", "records a resource's state",
            "set-state -t TAG -S ISP|ISU|OSU\n"
            "  -t, --tag TAG     the resource's name\n"
            "  -S, --state WORD  ISP: in service and watched; ISU: in service, quickCheck looks\n"
            "                    away; OSU: out of service\n"
            "Starts and stops nothing: that is what restore and remove do.\n",
            set_state},
    Command{"delete", "takes a resource away that is out of service",
            "delete -t TAG\n"
            "  -t, --tag TAG     the resource's name\n",
            delete_resource},
    Command{"drill", "makes a fault on a resource in service and has it recovered",
            "drill -t TAG --fault FAULT|--all [--json] [--yes] [--probe] [--programs DIR]\n"
            "  -t, --tag TAG     the resource's name; in service (ISP) and healthy\n"
            "  --fault FAULT     no-probe, killed, hung, port-taken or disk-full\n"
            "  --all             all five, one after the other\n"
            "  --json            one line of JSON; the timeline goes to standard error\n"
            "  --yes             do not ask first; needed without a terminal\n"
            "  --probe           play the load balancer, for a node that has none\n"
            "  --programs DIR    where restore, quickCheck and recover are\n"
            "Suspend the cluster manager's monitoring first: it would see the faults, too.\n"
            "Ctrl-C puts everything back.\n",
            run_drill},
    Command{"online", "brings a resource in service, through the agent",
            "online TAG|--group NAME [--wait SECONDS]\n"
            "  TAG               the resource\n"
            "  --group NAME      all resources of the group\n"
            "  --wait SECONDS    how long to wait for it, 600 by default; 0: not at all\n"
            "What it depends on is brought in service first.\n",
            command_resource},
    Command{"offline", "takes a resource out of service, through the agent",
            "offline TAG|--group NAME [--wait SECONDS]\n"
            "  TAG               the resource\n"
            "  --group NAME      all resources of the group\n"
            "  --wait SECONDS    how long to wait for it, 600 by default; 0: not at all\n"
            "What depends on it is taken out of service first.\n",
            command_resource},
    Command{"enable", "has the agent watch and command a resource",
            "enable TAG|--group NAME\n"
            "  TAG               the resource\n"
            "  --group NAME      all resources of the group\n",
            command_resource},
    Command{"disable", "has the agent leave a resource alone, as it is",
            "disable TAG|--group NAME\n"
            "  TAG               the resource\n"
            "  --group NAME      all resources of the group\n",
            command_resource},
    Command{"clear", "clears a resource's fault in the agent",
            "clear TAG|--group NAME\n"
            "  TAG               the resource\n"
            "  --group NAME      all resources of the group\n",
            command_resource},
    Command{"suspend", "has the agent's monitors of a resource look away",
            "suspend TAG|--group NAME\n"
            "  TAG               the resource\n"
            "  --group NAME      all resources of the group\n",
            command_resource},
    Command{"resume", "has the agent's monitors of a resource look again",
            "resume TAG|--group NAME\n"
            "  TAG               the resource\n"
            "  --group NAME      all resources of the group\n",
            command_resource},
    Command{"events", "shows what the agent has told",
            "events [-f|--follow] [--json] [-n|--count COUNT]\n"
            "  -f, --follow      and what it tells from now on, until INT (Ctrl-C) or TERM\n"
            "  --json            a line of JSON each\n"
            "  -n, --count COUNT so many of those that there are, 100 by default, 10000 at most\n",
            events},
    Command{"reload", "has the agent read the settings and resources again", "reload\n", reload},
    Command{"keys", "makes and shows keys and certificates of appmgr and appserver", "", keys},
};

constexpr char kExitStatus[] = "Exit status: 0 done, 1 failed, 64 wrong command line.\n";

std::string usage() {
  std::string text = "Usage: genapp COMMAND ...\n";
  for (const Command& command : kCommands) {
    text += "  " + std::string(command.name) + std::string(12 - command.name.size(), ' ') +
            std::string(command.summary) + "\n";
  }
  return text + "  --help, --version\n'genapp COMMAND --help' tells more.\n" + kExitStatus;
}

std::string help(const Command& command) {
  return "genapp " + std::string(command.name) + ": " + std::string(command.summary) +
         "\n\nUsage: genapp " + std::string(command.usage) + kExitStatus;
}

std::string command_names() {
  std::string names;
  for (const Command& command : kCommands) {
    names += (names.empty() ? "" : ", ") + std::string(command.name);
  }
  return names;
}

const Command& find_command(std::string_view name) {
  for (const Command& command : kCommands) {
    if (command.name == name) return command;
  }
  throw Error("unknown command " + common::quoted(name) + ", must be one of: " + command_names(),
              ExitCode::usage);
}

ExitCode work(int argc, const char* const* argv) {
  if (argc < 2) throw Error("which command? One of: " + command_names(), ExitCode::usage);
  const Command& command = find_command(argv[1]);
  const std::string_view first = argc > 2 ? argv[2] : "";
  const bool own_help = !command.usage.empty();
  if (own_help && (first == "--help" || first == "-h")) {
    print(help(command));
    return ExitCode::ok;
  }
  return command.run(argc - 1, argv + 1);
}

}  // namespace

int run_genapp(int argc, const char* const* argv) {
  const std::string text = usage();
  return common::run_program(
      {"genapp", "makes, shows, commands and deletes the resources of this node", text}, argc, argv,
      [=] { return work(argc, argv); });
}

}  // namespace genapp::ctl
