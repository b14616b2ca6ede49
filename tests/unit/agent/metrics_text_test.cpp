#include "agent/metrics_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/agent/views.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::string text_of(const View& view) { return metrics_text(view, kAgent, kNow, {7, 8, 9}); }

TEST(AgentMetrics, TellOfTheAgent) {
  const std::string text = text_of({});
  EXPECT_THAT(text, HasSubstr("# TYPE genapp_agent_info gauge\n"
                              "genapp_agent_info{version=\"" GENAPP_VERSION "\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("genapp_agent_start_timestamp_seconds 1699999910\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE genapp_agent_notices_total counter\n"
                              "genapp_agent_notices_total{severity=\"info\"} 7\n"
                              "genapp_agent_notices_total{severity=\"warning\"} 8\n"
                              "genapp_agent_notices_total{severity=\"error\"} 9\n"));
}

TEST(AgentMetrics, TellOfAResource) {
  ResourceView web = resource_named("web");
  web.group = "a\"b\\";
  web.state = State::going_offline;
  web.faulted = true;
  web.counts.restarts = 2;
  History history;
  history.probed({kSteady - 10s, Ended::failed, 1s});
  history.probed({kSteady - 500ms, Ended::done, 250ms});
  web.history = &history;
  const std::string text = text_of({{web}, {}});
  const std::string labels = "{tag=\"web\",group=\"a\\\"b\\\\\"";
  EXPECT_THAT(text, HasSubstr("genapp_resource_state" + labels + ",state=\"GoingOffline\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("genapp_resource_state" + labels + ",state=\"Online\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("genapp_resource_faulted" + labels + "} 1\n"));
  EXPECT_THAT(text, HasSubstr("genapp_resource_suspended" + labels + "} 0\n"));
  EXPECT_THAT(text, HasSubstr("genapp_resource_wanted" + labels + "} 1\n"));
  EXPECT_THAT(text, HasSubstr("genapp_resource_restarts" + labels + "} 2\n"));
  EXPECT_THAT(text, HasSubstr("genapp_resource_last_probe_seconds" + labels + "} 0.25\n"));
  EXPECT_THAT(text, HasSubstr("genapp_resource_last_probe_timestamp_seconds" + labels +
                              "} 1699999999.5\n"));
}

TEST(AgentMetrics, TellWhetherTheLastLookCouldTell) {
  const std::string name = "genapp_resource_known";
  const auto line = [&name](const ResourceView& web) {
    const std::string text = text_of({{web}, {}});
    const auto at = text.find("\n" + name + "{");
    return at == std::string::npos ? "" : text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  };
  ResourceView web = resource_named("web");
  web.state = State::online;
  EXPECT_EQ(line(web), "") << "nobody has looked";
  History history;
  web.history = &history;
  EXPECT_EQ(line(web), "");
  const std::string labels = name + "{tag=\"web\",group=\"\"} ";
  for (const auto& [how, known] : {std::pair{Ended::done, "1"},
                                   {Ended::failed, "1"},
                                   {Ended::unknown, "0"},
                                   {Ended::timed_out, "0"}}) {
    history.probed({kSteady, how, 1s});
    EXPECT_EQ(line(web), labels + known) << name_of(how);
  }
  web.suspended = true;
  EXPECT_EQ(line(web), "") << "it is not looked at";
  web.suspended = false;
  web.state = State::detached;
  EXPECT_EQ(line(web), "");
}

TEST(AgentMetrics, EachResourceIsInOneStateOfNine) {
  const std::string text = text_of({{resource_named("web")}, {}});
  std::size_t states = 0, ones = 0;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("genapp_resource_state{")) continue;
    ++states;
    if (line.ends_with(" 1")) ++ones;
  }
  EXPECT_EQ(states, 9u);
  EXPECT_EQ(ones, 1u);
}

TEST(AgentMetrics, AMonitorThatDoesNotLookIsNeitherHealthyNorNot) {
  ResourceView web = resource_named("web");
  for (const MonitorState state :
       {MonitorState::off, MonitorState::stabilizing, MonitorState::watching, MonitorState::failed,
        MonitorState::suspended}) {
    MonitorView one;
    one.name = name_of(state);
    one.kind = MonitorKind::smtp;
    one.state = state;
    web.monitors.push_back(one);
  }
  const std::string text = text_of({{web}, {}});
  const std::string start = "genapp_monitor_healthy{tag=\"web\",monitor=\"";
  EXPECT_THAT(text, HasSubstr(start + "watching\",kind=\"smtp\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(start + "failed\",kind=\"smtp\"} 0\n"));
  for (const char* other : {"off", "stabilizing", "suspended"}) {
    EXPECT_THAT(text, Not(HasSubstr(start + other)));
  }
}

TEST(AgentMetrics, AFamilyIsNamedOnce) {
  const std::string text = text_of({{resource_named("a"), resource_named("b")}, {}});
  const std::string page = tests::read_file(GENAPP_SOURCE_DIR "/docs/man/genapp-agent.8");
  std::set<std::string> families;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    EXPECT_TRUE(families.insert(line).second) << line;
    const std::string name = line.substr(7, line.find(' ', 7) - 7);
    EXPECT_THAT(page, HasSubstr(name)) << "its man page has it";
  }
  EXPECT_GE(families.size(), 10u);
}

}  // namespace
}  // namespace genapp::agent
