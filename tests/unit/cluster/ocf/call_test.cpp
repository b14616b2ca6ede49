#include "cluster/ocf/call.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "cluster/ocf/lbhc_agent.hpp"
#include "cluster/ocf/script_agent.hpp"

namespace genapp::ocf {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Environment environment(const std::map<std::string, std::string>& variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

// The code and the words with which it is refused.
template <typename Work>
std::pair<Code, std::string> refusal_of(Work work) {
  try {
    work();
  } catch (const Refusal& refusal) {
    return {refusal.code(), refusal.what()};
  }
  return {Code::success, ""};
}

TEST(OcfAction, KnowsItsWords) {
  EXPECT_EQ(parse_action("start"), Action::start);
  EXPECT_EQ(parse_action("stop"), Action::stop);
  EXPECT_EQ(parse_action("monitor"), Action::monitor);
  EXPECT_EQ(parse_action("status"), Action::monitor);
  EXPECT_EQ(parse_action("validate-all"), Action::validate);
  EXPECT_EQ(parse_action("meta-data"), Action::metadata);
  EXPECT_EQ(parse_action("reload-agent"), Action::reload);
  EXPECT_EQ(parse_action("reload"), Action::reload);
  for (const char* word : {"", "START", "start ", "notify", "promote", "migrate_to"}) {
    const auto [code, why] = refusal_of([&] { parse_action(word); });
    EXPECT_EQ(code, Code::unimplemented) << word;
    EXPECT_THAT(why, HasSubstr("there are: start, stop, monitor"));
  }
}

TEST(OcfCall, IsReadFromTheEnvironment) {
  const Call call = read_call(environment({{"OCF_RESOURCE_INSTANCE", "lb:0"},
                                           {"OCF_RESKEY_CRM_meta_interval", "10000"},
                                           {"OCF_RESKEY_CRM_meta_timeout", "5000"},
                                           {"OCF_CHECK_LEVEL", "10"}}));
  EXPECT_EQ(call.tag.text(), "lb:0");
  EXPECT_EQ(call.id.text(), "lb:0");
  EXPECT_EQ(call.interval, 10s);
  EXPECT_EQ(call.timeout, 5s);
  EXPECT_EQ(call.check_level, 10);
}

TEST(OcfCall, NeedsNoMoreThanTheName) {
  const Call call =
      read_call(environment({{"OCF_RESOURCE_INSTANCE", "lb"}, {"OCF_CHECK_LEVEL", ""}}));
  EXPECT_EQ(call.interval, 0s);
  EXPECT_EQ(call.timeout, 0s);
  EXPECT_EQ(call.check_level, 0);
}

TEST(OcfCall, RefusesWhatCannotBe) {
  for (const auto& [variable, value] : std::vector<std::pair<std::string, std::string>>{
           {"OCF_RESOURCE_INSTANCE", ""},
           {"OCF_RESOURCE_INSTANCE", "../x"},
           {"OCF_RESOURCE_INSTANCE", std::string(65, 'x')},
           {"OCF_RESKEY_CRM_meta_interval", "10s"},
           {"OCF_RESKEY_CRM_meta_interval", "-1"},
           {"OCF_RESKEY_CRM_meta_timeout", "1e9"},
           {"OCF_CHECK_LEVEL", "deep"}}) {
    std::map<std::string, std::string> variables{{"OCF_RESOURCE_INSTANCE", "lb"}};
    variables[variable] = value;
    const auto [code, why] = refusal_of([&] { read_call(environment(variables)); });
    EXPECT_EQ(code, Code::arguments) << variable << '=' << value;
    EXPECT_THAT(why, HasSubstr(variable));
  }
  EXPECT_EQ(refusal_of([] { read_call(environment({})); }).first, Code::arguments);
}

Call call_with(common::Clock::duration interval, common::Clock::duration timeout) {
  return {common::Tag("lb"), common::Id("lb"), interval, timeout, 0};
}

TEST(OcfLease, LastsUntilTheNextMonitorCanHaveCome) {
  EXPECT_EQ(lease_for(call_with(10s, 5s)), 15s);
  EXPECT_EQ(lease_for(call_with(1s, 0s)), 21s);  // Pacemaker's default of 20 s
}

TEST(OcfScriptTime, EndsBeforeTheManagerDoes) {
  EXPECT_EQ(script_time(30s, 5s), 24s);
  EXPECT_EQ(script_time(300s, 0s), 299s);
  EXPECT_EQ(script_time(10s, 60s), 5s);
}

}  // namespace
}  // namespace genapp::ocf
