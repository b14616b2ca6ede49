// The page of a real agent in a real browser: what happens to a resource is seen without a reload.

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include "tests/e2e/browser.hpp"
#include "tests/support/agent_node.hpp"
#include "tests/support/net.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

TEST(AgentPage, ShowsWhatTheAgentDoes) {
  const Port port;
  AgentNode node;
  node.settings("[agent]\npage = \"127.0.0.1:" + port.text() + "\"\n");
  node.app("web", "monitor_interval = 0.2\noffline_monitor_interval = 0.2\nrestart_limit = 3\n");
  node.app("db", "monitor_interval = 0.2\noffline_monitor_interval = 0.2\n");
  node.start();
  const TempDir folder;
  Browser browser(folder.path());
  const auto shows = [&](const std::string& text) {
    return browser.becomes_true("document.body.innerText.includes('" + text + "')");
  };
  browser.open("http://127.0.0.1:" + port.text() + "/");
  EXPECT_TRUE(shows("Offline"));
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  EXPECT_TRUE(shows("came online"));
  EXPECT_TRUE(shows("Online"));
  ::kill(node.processes("web").at(0), SIGKILL);
  EXPECT_TRUE(shows("restart 1 of 3"));
  ASSERT_EQ(node.genapp({"online", "db"}).exit_code, 0);
  ::kill(node.processes("db").at(0), SIGKILL);
  EXPECT_TRUE(shows("faulted: "));
  if (const char* to = ::getenv("GENAPP_PICTURES")) {
    browser.save_picture(std::string(to) + "/agent.png");
  }
  node.kill();
  EXPECT_TRUE(shows("Connection lost"));
  node.start();
  EXPECT_TRUE(browser.becomes_true("!document.body.innerText.includes('Connection lost')"));
  EXPECT_TRUE(browser.complaints().empty() ||
              browser.complaints().at(0).find("ERR_") != std::string::npos)
      << browser.complaints().at(0);
}

}  // namespace
}  // namespace genapp::tests
