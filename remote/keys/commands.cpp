#include "remote/keys/commands.hpp"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>
#include <boost/program_options/variables_map.hpp>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "common/identifier.hpp"
#include "common/option_problem.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"
#include "common/program.hpp"
#include "remote/keys/authority.hpp"
#include "remote/keys/installation.hpp"
#include "remote/keys/show.hpp"

namespace genapp::remote::keys {
namespace {

namespace paths = common::paths;
namespace po = boost::program_options;
using common::Error;
using common::ExitCode;
using Strings = std::vector<std::string>;

constexpr int kAuthorityDays = 3650;
constexpr int kLeafDays = 825;
constexpr int kMostDays = 36500;
// With the digits that make_authority() adds, no more than a common name has.
constexpr std::size_t kLongestAuthority = 55;

constexpr char kUsage[] =
    "Usage: genapp keys init [--name NAME] [--days 3650]\n"
    "       genapp keys host NAME [--out DIR|--install] [--days 825]\n"
    "       genapp keys guest NAME [--address ADDRESS]... [--out DIR|--install] [--days 825]\n"
    "       genapp keys rotate [--name NAME] [--days 3650]\n"
    "       genapp keys retire\n"
    "       genapp keys show [FILE]...\n"
    "  init              makes the private authority, which signs the others\n"
    "  host              makes a manager's key and certificate (appmgr)\n"
    "  guest             makes an appserver's\n"
    "  rotate            makes a new authority; what the former one signed stays accepted\n"
    "  retire            ends that\n"
    "  show              shows certificates; fails when one has expired or is about to\n"
    "  NAME              how the other side and its policy know it; of a guest also an address\n"
    "  --address ADDRESS a further name or IP address that the guest is reached at\n"
    "  --out DIR         the folder to make, ./NAME by default; copy it to the machine\n"
    "  --install         the files go to this machine's own folder instead\n"
    "  --days DAYS       how long it is valid, 1 to 36500\n"
    "  --name NAME       what the authority is called, by default as this machine\n"
    "  --help, --version\n"
    "Exit status: 0 done, 1 failed, 64 wrong command line.\n";

po::variables_map parse(const po::options_description& own, const char* positional, int most,
                        int argc, const char* const* argv) {
  po::options_description options(own);
  po::positional_options_description places;
  if (*positional) {
    options.add_options()(positional, po::value<Strings>());
    places.add(positional, most);
  }
  // No guessing: "--add" must not mean "--address".
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    const auto parsed =
        po::command_line_parser(argc, argv).options(options).positional(places).style(style).run();
    po::variables_map found;
    po::store(parsed, found);
    return found;
  } catch (const po::too_many_positional_options_error&) {
    throw Error("there is an argument too many", ExitCode::usage);
  } catch (const po::error& problem) {
    throw Error(common::option_problem(problem, {argv, argv + argc}), ExitCode::usage);
  }
}

std::time_t now() { return std::time(nullptr); }

Validity validity_of(const po::variables_map& found, int otherwise) {
  const int days = found.count("days") ? found["days"].as<int>() : otherwise;
  if (days < 1 || days > kMostDays) {
    throw Error("--days " + std::to_string(days) + ": must be 1 to " + std::to_string(kMostDays),
                ExitCode::usage);
  }
  return {now(), days};
}

void check_name(const std::string& name, std::size_t longest) {
  if (common::is_identifier(name) && name.size() <= longest) return;
  throw Error("name " + common::quoted(name) +
                  ": must be of A-Z a-z 0-9 _ . : @ -, begin with none of the last four, and have "
                  "at most " +
                  std::to_string(longest) + " characters",
              ExitCode::usage);
}

std::string own_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "genapp";
  const std::string text(name.data());
  return common::is_identifier(text) && text.size() <= kLongestAuthority ? text : "genapp";
}

void print(std::string_view text) {
  if (::fwrite(text.data(), 1, text.size(), stdout) != text.size() || ::fflush(stdout) != 0) {
    throw common::system_error("writing to standard output", errno);
  }
}

void warn(const std::string& text) {
  const std::string line = "genapp-keys: warning: " + common::printable(text, 1000) + "\n";
  ::fwrite(line.data(), 1, line.size(), stderr);
}

std::string given_authority_name(const po::variables_map& found) {
  if (!found.count("name")) return {};
  const auto name = found["name"].as<std::string>();
  check_name(name, kLongestAuthority);
  return name;
}

po::options_description authority_options() {
  po::options_description options;
  options.add_options()("name", po::value<std::string>())("days", po::value<int>());
  return options;
}

ExitCode init(int argc, const char* const* argv) {
  const auto found = parse(authority_options(), "", 0, argc, argv);
  const std::string name = given_authority_name(found);
  const Validity validity = validity_of(found, kAuthorityDays);
  init_authority(name.empty() ? own_name() : name, validity);
  const std::string path = paths::authority_dir();
  print("made the authority in " + path + "; whoever has " + path +
        "/ca.key can command every guest: keep it here alone, and a copy in a safe place\n");
  return ExitCode::ok;
}

struct Wanted {
  Kind kind = Kind::host;
  std::string name;
  std::vector<Address> addresses;
  Validity validity;
  std::string out;
  bool install = false;
};

// A guest's own name is an address as well, if it can be one.
std::vector<Address> addresses_of(const po::variables_map& found, const std::string& name) {
  std::vector<Address> addresses;
  const bool more = found.count("address") != 0;
  try {
    addresses.push_back(parse_address(name));
  } catch (const Error&) {
    if (!more) {
      throw Error("name " + common::quoted(name) +
                      ": is neither a host name nor an IP address; say with --address where the "
                      "guest is reached",
                  ExitCode::usage);
    }
  }
  if (more) {
    for (const std::string& text : found["address"].as<Strings>()) {
      addresses.push_back(parse_address(text));
    }
  }
  return addresses;
}

Wanted parse_leaf(Kind kind, int argc, const char* const* argv) {
  po::options_description options;
  options.add_options()("out", po::value<std::string>())("install", po::bool_switch())(
      "days", po::value<int>());
  if (kind == Kind::guest) options.add_options()("address", po::value<Strings>()->composing());
  const auto found = parse(options, "the-name", 1, argc, argv);
  Wanted wanted{kind};
  if (!found.count("the-name")) throw Error("missing NAME", ExitCode::usage);
  wanted.name = found["the-name"].as<Strings>().front();
  constexpr std::size_t kLongestCommonName = 64;
  check_name(wanted.name, kLongestCommonName);
  if (kind == Kind::guest) wanted.addresses = addresses_of(found, wanted.name);
  wanted.validity = validity_of(found, kLeafDays);
  wanted.install = found["install"].as<bool>();
  if (wanted.install && found.count("out")) {
    throw Error("--out and --install exclude each other", ExitCode::usage);
  }
  wanted.out = found.count("out") ? found["out"].as<std::string>() : "./" + wanted.name;
  return wanted;
}

ExitCode make_leaf(Kind kind, int argc, const char* const* argv) {
  const Wanted wanted = parse_leaf(kind, argc, argv);
  if (!wanted.install) check_key_place(wanted.out);
  const Authority authority = Authority::open();
  const Issue made = authority.issue(wanted.kind, wanted.name, wanted.addresses, wanted.validity);
  const std::string stem = kind == Kind::host ? "appmgr" : "appserver";
  const std::vector<KeyFile> files{{stem + ".key", made.key, true},
                                   {stem + ".crt", made.certificate},
                                   {"ca.crt", authority.bundle()}};
  if (wanted.install) {
    install_keys(files);
  } else {
    make_key_folder(wanted.out, files);
  }
  const auto certificate = parse_certificates(made.certificate, wanted.name);
  const std::string place = wanted.install ? paths::tls_dir() : wanted.out;
  print("made " + place + ": " + stem + ".key, " + stem + ".crt and ca.crt, valid until " +
        valid_until(certificate.front().get()) +
        (wanted.install
             ? "\n"
             : "; copy them to /etc/genapp/tls of " + wanted.name + ", then remove this folder\n"));
  if (days_left(certificate.front().get()) + 1 < wanted.validity.days) {
    warn(wanted.name +
         ": valid no longer than the authority, of which a new one is made with "
         "`genapp keys rotate`");
  }
  return ExitCode::ok;
}

ExitCode host(int argc, const char* const* argv) { return make_leaf(Kind::host, argc, argv); }
ExitCode guest(int argc, const char* const* argv) { return make_leaf(Kind::guest, argc, argv); }

ExitCode rotate(int argc, const char* const* argv) {
  const auto found = parse(authority_options(), "", 0, argc, argv);
  const std::string name = given_authority_name(found);
  const Validity validity = validity_of(found, kAuthorityDays);
  Authority authority = Authority::open();
  authority.rotate(name, validity);
  const std::string bundle = authority.path() + "/ca.crt";
  print("made the authority " + common::quoted(common_name(authority.certificate())) +
        ", which signs from now on; " + bundle +
        " holds it and the former one.\n"
        "1. Copy " +
        bundle +
        " to /etc/genapp/tls/ca.crt of every host and guest, before any of them has a new "
        "certificate.\n"
        "2. Make new ones with `genapp keys host` and `genapp keys guest`, and copy them there.\n"
        "3. `genapp keys retire`, and copy ca.crt to every host and guest again.\n");
  return ExitCode::ok;
}

ExitCode retire(int argc, const char* const* argv) {
  parse({}, "", 0, argc, argv);
  Authority authority = Authority::open();
  const std::string bundle = authority.path() + "/ca.crt";
  if (authority.others() == 0) {
    throw Error(bundle + ": holds no former authority; `genapp keys rotate` makes a new one");
  }
  for (const Issued& lost : authority.retire(now())) {
    warn(lost.kind + " " + lost.name + ": its newest certificate is of " +
         common::quoted(lost.authority) + ", and is not accepted any more where " + bundle +
         " is copied to; make a new one with `genapp keys " + lost.kind + " " + lost.name + "`");
  }
  print(bundle + " holds " + common::quoted(common_name(authority.certificate())) +
        " alone; copy it to /etc/genapp/tls/ca.crt of every host and guest\n");
  return ExitCode::ok;
}

ExitCode show_files(int argc, const char* const* argv) {
  const auto found = parse({}, "file", -1, argc, argv);
  const Shown shown = show(found.count("file") ? found["file"].as<Strings>() : Strings());
  print(shown.out);
  ::fwrite(shown.err.data(), 1, shown.err.size(), stderr);
  return shown.code;
}

struct Command {
  std::string_view name;
  ExitCode (*run)(int argc, const char* const* argv);
};
constexpr std::array kCommands{Command{"init", init},     Command{"host", host},
                               Command{"guest", guest},   Command{"rotate", rotate},
                               Command{"retire", retire}, Command{"show", show_files}};

ExitCode work(int argc, const char* const* argv) {
  std::string names;
  for (const Command& command : kCommands) {
    if (argc > 1 && command.name == argv[1]) {
      const std::string_view first = argc > 2 ? argv[2] : "";
      if (first == "--help" || first == "-h") {
        print(kUsage);
        return ExitCode::ok;
      }
      return command.run(argc - 1, argv + 1);
    }
    names += (names.empty() ? "" : ", ") + std::string(command.name);
  }
  if (argc < 2) throw Error("which command? One of: " + names, ExitCode::usage);
  throw Error("unknown command " + common::quoted(argv[1]) + ", must be one of: " + names,
              ExitCode::usage);
}

}  // namespace

int run_keys(int argc, const char* const* argv) {
  // Modes are given to each file; the caller's umask may be anything.
  ::umask(022);
  return common::run_program(
      {"genapp-keys", "keys and certificates of appmgr and appserver", kUsage}, argc, argv,
      [=] { return work(argc, argv); });
}

}  // namespace genapp::remote::keys
