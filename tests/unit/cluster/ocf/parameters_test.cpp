#include "cluster/ocf/parameters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "lbhc/config.hpp"
#include "script/config.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::ocf {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using Values = std::map<std::string, std::string>;

Environment parameters(const Values& values) {
  return [values](const std::string& name) -> std::optional<std::string> {
    for (const auto& [key, value] : values) {
      if (name == "OCF_RESKEY_" + key) return value;
    }
    return std::nullopt;
  };
}

lbhc::Config lbhc_config(const Values& values, const std::string& shared = "") {
  const auto settings = common::TomlFile::parse("genapp.toml", shared);
  const Description read = read_parameters(Kind::lbhc, parameters(values), &settings);
  return lbhc::read_config(&settings, read.file, read.info);
}

script::Config script_config(const Values& values) {
  const Description read = read_parameters(Kind::script, parameters(values), nullptr);
  return script::read_config(nullptr, read.file);
}

std::string refusal(Kind kind, const Values& values) {
  try {
    const Description read = read_parameters(kind, parameters(values), nullptr);
    if (kind == Kind::lbhc) lbhc::read_config(nullptr, read.file, read.info);
    if (kind == Kind::script) script::read_config(nullptr, read.file);
  } catch (const Refusal& refusal) {
    EXPECT_EQ(refusal.code(), Code::configured);
    return refusal.what();
  } catch (const common::Error& problem) {
    return problem.what();
  }
  return "";
}

TEST(OcfParameters, APortIsEnough) {
  const lbhc::Config config = lbhc_config({{"port", "54321"}});
  EXPECT_EQ(config.port, 54321);
  EXPECT_EQ(config.message, "");
  EXPECT_EQ(config.hc_timeout, 30s);
}

// Under Pacemaker: the cluster must not move because the load balancer is gone, nor wait for it.
TEST(OcfParameters, HasPresetsOfItsOwn) {
  const lbhc::Config config = lbhc_config({{"port", "1"}});
  EXPECT_FALSE(config.wait_first_probe);
  EXPECT_EQ(config.on_no_probe, lbhc::OnNoProbe::warn);
}

TEST(OcfParameters, SettingsComeBeforePresetsAndAfterParameters) {
  const std::string shared =
      "[lbhc]\non_no_probe = \"fail\"\nhc_timeout = 7\nwait_first_probe = true\n";
  const lbhc::Config config = lbhc_config({{"port", "1"}}, shared);
  EXPECT_EQ(config.on_no_probe, lbhc::OnNoProbe::fail);
  EXPECT_EQ(config.hc_timeout, 7s);
  EXPECT_TRUE(config.wait_first_probe);
  const lbhc::Config own =
      lbhc_config({{"port", "1"}, {"on_no_probe", "ignore"}, {"wait_first_probe", "no"}}, shared);
  EXPECT_EQ(own.on_no_probe, lbhc::OnNoProbe::ignore);
  EXPECT_FALSE(own.wait_first_probe);
}

TEST(OcfParameters, TakesEveryOneOfLbhc) {
  const lbhc::Config config = lbhc_config({{"port", "80"},
                                           {"reply", "a b\\n"},
                                           {"escapes", "1"},
                                           {"protocol", "http"},
                                           {"listen", "::1"},
                                           {"hc_timeout", "0.5"},
                                           {"wait_first_probe", "TRUE"},
                                           {"on_no_probe", "fail"},
                                           {"allow", "10.0.0.0/8, 203.0.113.7  azure"},
                                           {"others", "refuse"},
                                           {"drain", "2.5"},
                                           {"lb_profile", "gcp"},
                                           {"lease", "9"},
                                           {"standby_check", "on"}});
  EXPECT_EQ(config.port, 80);
  EXPECT_EQ(config.message, "a b\n");
  EXPECT_EQ(config.protocol, lbhc::Protocol::http);
  EXPECT_EQ(config.listen, "::1");
  EXPECT_EQ(config.hc_timeout, 500ms);
  EXPECT_TRUE(config.wait_first_probe);
  EXPECT_EQ(config.on_no_probe, lbhc::OnNoProbe::fail);
  EXPECT_TRUE(config.allow.allows(lbhc::mapped({203, 0, 113, 7})));
  EXPECT_TRUE(config.allow.allows(lbhc::mapped({168, 63, 129, 16})));
  EXPECT_FALSE(config.allow.allows(lbhc::mapped({203, 0, 113, 8})));
  EXPECT_EQ(config.others, lbhc::Others::refuse);
  EXPECT_EQ(config.drain, 2500ms);
  EXPECT_TRUE(config.lb_profile);
  EXPECT_EQ(config.lease, 9s);
  EXPECT_TRUE(config.standby_check);
}

// Pacemaker's tools set a parameter that was cleared to nothing.
TEST(OcfParameters, AnEmptyOneIsNone) {
  EXPECT_EQ(lbhc_config({{"port", "1"}, {"hc_timeout", ""}, {"protocol", ""}}).hc_timeout, 30s);
  EXPECT_THAT(refusal(Kind::lbhc, {{"port", ""}}), HasSubstr("parameter port: is required"));
}

TEST(OcfParameters, LeaseComesFromTheMonitorUnlessItIsGiven) {
  const auto lease_from_monitor = [](const Values& values, const std::string& shared) {
    const auto settings = common::TomlFile::parse("genapp.toml", shared);
    return read_parameters(Kind::lbhc, parameters(values), &settings).lease_from_monitor;
  };
  EXPECT_TRUE(lease_from_monitor({{"port", "1"}}, ""));
  EXPECT_TRUE(lease_from_monitor({{"port", "1"}, {"lease", "auto"}}, "[lbhc]\nlease = 5\n"));
  EXPECT_FALSE(lease_from_monitor({{"port", "1"}}, "[lbhc]\nlease = 5\n"));
  EXPECT_FALSE(lease_from_monitor({{"port", "1"}, {"lease", "0"}}, ""));
}

TEST(OcfParameters, SaysWhichOneIsWrong) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"port", "0"},        {"port", "65536"},
      {"port", "80 x"},     {"port", "123456789012"},
      {"port", "-1"},       {"hc_timeout", "soon"},
      {"escapes", "2"},     {"wait_first_probe", "maybe"},
      {"protocol", "smtp"}, {"on_no_probe", "panic"},
      {"drain", "-1"},      {"listen", "localhost"},
      {"allow", "10.1/8"},  {"others", "drop"},
      {"lease", "long"},    {"lease", "0.01"},
      {"lb_profile", "f5"}, {"standby_check", "auto"},
      {"drain", "5000"},
  };
  for (const auto& [name, value] : wrong) {
    Values values{{"port", "1"}};
    values[name] = value;
    EXPECT_THAT(refusal(Kind::lbhc, values), HasSubstr("parameter " + name)) << value;
  }
}

TEST(OcfParameters, TakesEveryOneOfScript) {
  const script::Config config = script_config({{"restore", "[\"/opt/start\", \"two words\"]"},
                                               {"remove", "/opt/stop"},
                                               {"quickcheck", "/opt/check"},
                                               {"restore_timeout", "7"},
                                               {"remove_timeout", "8"},
                                               {"quickcheck_timeout", "9"},
                                               {"kill_after", "1"},
                                               {"user", "nobody"},
                                               {"umask", "027"},
                                               {"limits", "nofile=100 core=0"},
                                               {"pass_environment", "LANG, TZ"},
                                               {"home_server", "n1"},
                                               {"start", "async"},
                                               {"started_after", "0.5"}});
  EXPECT_THAT(config.command(script::Action::restore).argv, ElementsAre("/opt/start", "two words"));
  EXPECT_THAT(config.command(script::Action::remove).argv, ElementsAre("/opt/stop"));
  EXPECT_EQ(config.command(script::Action::restore).timeout, 7s);
  EXPECT_EQ(config.command(script::Action::remove).timeout, 8s);
  EXPECT_EQ(config.command(script::Action::quick_check).timeout, 9s);
  EXPECT_EQ(config.kill_after, 1s);
  EXPECT_EQ(config.user, "nobody");
  EXPECT_EQ(config.umask, mode_t{027});
  EXPECT_EQ(config.limits.size(), 2u);
  EXPECT_THAT(config.pass_environment, ElementsAre("LANG", "TZ"));
  EXPECT_EQ(config.home_server, "n1");
  EXPECT_EQ(config.start, script::Start::async);
  EXPECT_EQ(config.started_after, 500ms);
}

TEST(OcfParameters, TakesAFolderAndInfo) {
  EXPECT_THAT(script_config({{"folder", "/opt/web"}}).command(script::Action::remove).argv,
              ElementsAre("/opt/web/remove"));
  EXPECT_EQ(
      read_parameters(Kind::script, parameters({{"folder", "/x"}, {"info", "a b"}}), nullptr).info,
      "a b");
}

TEST(OcfParameters, SaysWhichOneOfScriptIsWrong) {
  EXPECT_THAT(refusal(Kind::script, {}), HasSubstr("neither folder nor restore"));
  for (const char* value : {"[", "[]x", "[1]", "[\"/a\"]\nother = 1"}) {
    EXPECT_THAT(refusal(Kind::script, {{"remove", "/x"}, {"restore", value}}),
                HasSubstr("parameter restore: is"))
        << value;
  }
  EXPECT_THAT(refusal(Kind::script, {{"folder", "opt"}}), HasSubstr("parameter folder"));
  EXPECT_THAT(refusal(Kind::script, {{"folder", "/x"}, {"start", "later"}}),
              HasSubstr("parameter start"));
}

// A key that is new in [lbhc] is wanted here too, or has its reason not to be.
TEST(OcfParameters, HasEveryKeyThatTheSettingsPageHas) {
  std::set<std::string> names;
  for (const Kind kind : {Kind::lbhc, Kind::script}) {
    for (const Parameter& parameter : parameters_of(kind))
      names.insert(std::string(parameter.name));
  }
  names.insert({"already_running", "recover", "restart", "recover_timeout", "type", "id"});
  for (const std::string page : {"genapp.toml.5", "genapp-script.5"}) {
    std::istringstream text(tests::read_file(GENAPP_SOURCE_DIR "/docs/man/" + page));
    const bool whole = page == "genapp-script.5";
    bool keys = whole;
    int found = 0;
    for (std::string line; std::getline(text, line);) {
      if (line.starts_with(".S")) keys = whole || line.find("lbhc") != std::string::npos;
      if (!keys || !line.starts_with(".It Cm ")) continue;
      std::istringstream words(line.substr(7));
      for (std::string word; words >> word;) {
        if (word == ",") continue;
        ++found;
        EXPECT_TRUE(names.count(word)) << page << ": " << word;
      }
    }
    EXPECT_GT(found, 10) << page;
  }
}

}  // namespace
}  // namespace genapp::ocf
