// The OCF agents as others see them: ocf-tester, the DTD of resource-agents, and Pacemaker's own
// crm_resource, which looks for them where they are installed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/namespace.hpp"
#include "tests/support/net.hpp"
#include "tests/support/script_node.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;

constexpr char kInstalled[] = "/usr/lib/ocf/resource.d/genapp/";

// A host on which the agents are installed.
class OcfHost : public testing::Test {
 protected:
  static std::string install() {
    return "mount -t tmpfs none /usr/lib/ocf/resource.d && mkdir " + std::string(kInstalled) +
           " && cp -P " + program("ocf/lbhc") + " " + program("ocf/script") + " " + kInstalled;
  }
  // env(1) finds the program; by itself a node takes a plain name for one of genapp's.
  Result run(std::vector<std::string> argv) {
    argv.insert(argv.begin(), "/usr/bin/env");
    Command command = node_.command(std::move(argv));
    command.env["OCF_ROOT"] = "/usr/lib/ocf";
    return tests::run(host_.inside(command));
  }
  // ocf-tester calls every action in every order that a cluster manager may.
  Result ocf_tester(const std::string& agent, const std::vector<std::string>& parameters) {
    std::vector<std::string> argv{"ocf-tester", "-n", "vip"};
    for (const std::string& parameter : parameters) {
      argv.insert(argv.end(), {"-o", parameter});
    }
    argv.push_back(kInstalled + agent);
    return run(argv);
  }
  Result crm_resource(const std::string& agent, const std::string& option) {
    return run({"crm_resource", "--validate", "--class=ocf", "--provider=genapp",
                "--agent=" + agent, "--option", option});
  }

  Node node_;
  Namespace host_{Namespace::Network::own, install()};
};

TEST_F(OcfHost, OcfTesterPassesLbhc) {
  const Result result = ocf_tester("lbhc", {"port=54321", "reply=OK"});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("passed all tests"));
  EXPECT_THAT(node_.run_files(), testing::IsEmpty());
}

TEST_F(OcfHost, OcfTesterPassesScript) {
  ScriptNode scripts;
  scripts.script("quickCheck", "exit 0");
  const Result result = ocf_tester("script", {"folder=" + scripts.path("scripts")});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("passed all tests"));
}

// It fails for an agent that does not do as it should.
TEST_F(OcfHost, OcfTesterWouldNotPassAnAgentThatLies) {
  ScriptNode scripts;
  scripts.script("quickCheck", "exit 1");
  const Result result = ocf_tester("script", {"folder=" + scripts.path("scripts")});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("Monitoring an active resource should return 0"));
}

TEST_F(OcfHost, PacemakerFindsThemAndTheirParameters) {
  EXPECT_EQ(run({"crm_resource", "--list-agents", "ocf:genapp"}).out, "lbhc\nscript\n");
  for (const std::string agent : {"lbhc", "script"}) {
    const Result shown = run({"crm_resource", "--show-metadata", "ocf:genapp:" + agent});
    EXPECT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("<resource-agent name=\"" + agent + "\""));
  }
}

TEST_F(OcfHost, PacemakerValidatesParametersWithThem) {
  const Result right = crm_resource("lbhc", "port=54321");
  EXPECT_EQ(right.exit_code, 0) << right.out << right.err;
  const Result wrong = crm_resource("lbhc", "port=http");
  EXPECT_EQ(wrong.exit_code, 6);
  EXPECT_THAT(wrong.out + wrong.err, HasSubstr("parameter port: is \"http\""));
}

}  // namespace
}  // namespace genapp::tests
