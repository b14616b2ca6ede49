// The agent with real servers: nginx and Exim watched by the engines of httpmon and smtpmon, and a
// health check whose daemon dies.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "tests/e2e/mta.hpp"
#include "tests/e2e/nginx.hpp"
#include "tests/e2e/web_server.hpp"
#include "tests/support/agent_node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;

constexpr char kQuick[] = "monitor_interval = 3600\n";

pid_t pid_in(const std::string& file) {
  const std::string text = read_file(file);
  return text.empty() ? 0 : std::stoi(text);
}

// A resource whose application is nginx, one process.
class WebNode {
 public:
  explicit WebNode(const std::string& monitor) {
    nginx_.configure("master_process off;\n");
    node_.app("web", kQuick + std::string("[monitor.page]\nkind = \"http\"\nurl = \"") +
                         nginx_.url() + "\"\nstabilization_interval = 0.1\n" + monitor);
    const std::string pid = "\"$(cat '" + nginx_.pid_file() + "' 2>/dev/null)\"";
    node_.script("web", "restore",
                 "echo restore >>\"$here/journal\"\nPATH=$PATH:/usr/sbin nginx -c '" +
                     nginx_.config() + "'");
    // One that is stopped minds nothing but KILL.
    node_.script("web", "remove",
                 "echo remove >>\"$here/journal\"\nkill -9 " + pid + " 2>/dev/null\nrm -f '" +
                     nginx_.pid_file() + "'");
    node_.script("web", "quickCheck", "kill -0 " + pid);
  }
  ~WebNode() {
    if (const pid_t pid = nginx_pid()) ::kill(pid, SIGKILL);
  }

  AgentNode& node() { return node_; }
  const Nginx& nginx() const { return nginx_; }
  pid_t nginx_pid() const { return pid_in(nginx_.pid_file()); }
  bool watches() const {
    return node_.view("web", "monitors").find("\"state\":\"watching\"") != std::string::npos;
  }

 private:
  Nginx nginx_;
  AgentNode node_;
};

TEST(AgentServers, AWebServerThatHangsIsRestarted) {
  WebNode web("monitor_interval = 0.2\ncheck_timeout = 0.5\nretries = 1\nrestart_count = 3\n");
  web.node().start();
  const Result online = web.node().genapp({"online", "web"});
  ASSERT_EQ(online.exit_code, 0) << online.err;
  ASSERT_TRUE(wait_until([&] { return web.watches(); }));
  const pid_t first = web.nginx_pid();
  ::kill(first, SIGSTOP);
  EXPECT_TRUE(wait_until([&] {
    return web.nginx_pid() != 0 && web.nginx_pid() != first && web.nginx().serves();
  })) << web.node().genapp({"events"}).out;
  EXPECT_TRUE(web.node().comes_to("web", "Online"));
  EXPECT_THAT(web.node().genapp({"events"}).out, HasSubstr("monitor page has failed"));
  EXPECT_EQ(web.node().count("web", "restore"), 2u);
}

TEST(AgentServers, AWrongAnswerIsToldAndNothingElseWhereItIsOnlyToBeObserved) {
  WebNode web(
      "monitor_interval = 0.2\ncheck_timeout = 1\nretries = 0\nrestart_count = 0\n"
      "expect_status = [\"404\"]\n");
  web.node().start();
  ASSERT_EQ(web.node().genapp({"online", "web"}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] {
    return web.node().view("web", "monitors").find("\"state\":\"failed\"") != std::string::npos;
  }));
  EXPECT_THAT(web.node().view("web", "monitors"), HasSubstr("200"));
  EXPECT_EQ(web.node().view("web", "state"), "Online");
  EXPECT_EQ(web.node().count("web", "restore"), 1u);
}

TEST(AgentServers, AServersCertificateIsVerified) {
  Authority authority;
  Authority stranger;
  WebServer server(WebServer::Make::nginx);
  server.serve_tls(authority.issue("DNS:localhost"));
  server.start();
  AgentNode node;
  const std::string monitor = "kind = \"http\"\nurl = \"https://localhost:" + server.port_text() +
                              "/\"\nmonitor_interval = 0.2\nstabilization_interval = 0\nretries = "
                              "0\nrestart_count = 0\n";
  node.app("web", kQuick + std::string("[monitor.known]\n") + monitor + "cafile = \"" +
                      authority.file() + "\"\n[monitor.stranger]\n" + monitor + "cafile = \"" +
                      stranger.file() + "\"\n");
  node.start();
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] {
    return node.genapp({"events"}).out.find("monitor stranger has failed") != std::string::npos;
  }));
  EXPECT_THAT(node.genapp({"events"}).out, HasSubstr("certificate"));
  EXPECT_THAT(node.genapp({"events"}).out, testing::Not(HasSubstr("monitor known has failed")));
}

TEST(AgentServers, AMailServerThatRefusesIsNoticedAndItsReturnToo) {
  Mta mta;
  mta.configure();
  std::optional<Process> server;
  server.emplace(mta.command());
  ASSERT_TRUE(wait_until([&] { return !mta.greeting().empty(); }));
  AgentNode node;
  node.app("mail", kQuick + std::string("[monitor.smtp]\nkind = \"smtp\"\nserver = \"127.0.0.1:") +
                       mta.port_text() +
                       "\"\nmonitor_interval = 0.2\nstabilization_interval = 0.1\nretries = 0\n"
                       "restart_count = 0\n");
  node.start();
  ASSERT_EQ(node.genapp({"online", "mail"}).exit_code, 0);
  const auto told = [&](const std::string& text) {
    return wait_until([&] { return node.genapp({"events"}).out.find(text) != std::string::npos; });
  };
  server.reset();
  mta.refuse_all();
  server.emplace(mta.command());
  EXPECT_TRUE(told("monitor smtp has failed"));
  server.reset();
  mta.configure();
  server.emplace(mta.command());
  EXPECT_TRUE(told("monitor smtp is healthy again")) << node.genapp({"events"}).out;
}

TEST(AgentServers, AHealthCheckWhoseDaemonDiesIsRecovered) {
  AgentNode node;
  const Port port;
  node.node().resource_file("lb", "type = \"lbhc\"\nid = \"lb1\"\ninfo = \"" + port.text() +
                                      " OK\"\n[lbhc]\nwait_first_probe = false\nhc_timeout = 60\n"
                                      "[agent]\nmonitor_interval = 0.2\nrestart_limit = 3\n");
  node.start();
  const Result online = node.genapp({"online", "lb"});
  ASSERT_EQ(online.exit_code, 0) << online.err;
  EXPECT_EQ(probe(port.number()).bytes, "OK");
  const pid_t first = node.node().daemon("lb1");
  ::kill(first, SIGKILL);
  EXPECT_TRUE(wait_until([&] {
    const pid_t now = node.node().daemon("lb1");
    return now != 0 && now != first && node.view("lb", "state") == "Online";
  })) << node.genapp({"events"}).out;
  EXPECT_EQ(probe(port.number()).bytes, "OK");
  EXPECT_EQ(node.genapp({"offline", "lb"}).exit_code, 0);
  EXPECT_FALSE(accepts(port.number()));
}

}  // namespace
}  // namespace genapp::tests
