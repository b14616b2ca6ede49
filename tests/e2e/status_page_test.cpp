// The status page in a real browser, served by the agent's page server with made-up resources.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <deque>
#include <filesystem>
#include <future>
#include <optional>
#include <thread>

#include "agent/metrics_text.hpp"
#include "agent/notice_log.hpp"
#include "agent/status_json.hpp"
#include "agent/web/page_server.hpp"
#include "tests/e2e/browser.hpp"
#include "tests/support/net.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::tests {
namespace {

using namespace std::chrono_literals;
using agent::State;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace asio = boost::asio;

// An agent of which there is nothing but what it shows.
class ShownAgent {
 public:
  ShownAgent() : notices_(open(folder_.path()), [](const std::string&) {}) { begin(); }
  ~ShownAgent() { end(); }
  ShownAgent(const ShownAgent&) = delete;
  ShownAgent& operator=(const ShownAgent&) = delete;

  std::string url() const { return "http://127.0.0.1:" + port_.text() + "/"; }

  void begin() {
    io_.emplace();
    feed_ = {};
    server_.emplace(*io_, "127.0.0.1:" + port_.text(), data());
    thread_ = std::thread([this] {
      const auto work = asio::make_work_guard(*io_);
      io_->run();
    });
  }
  void end() {
    if (!thread_.joinable()) return;
    in_loop([this] { server_.reset(); });
    io_->stop();
    thread_.join();
    io_.reset();
  }

  // What was told is forgotten with the run directory. Between end() and begin().
  void boot() {
    for (const char* name : {"/events", "/events.1"}) {
      std::filesystem::remove(folder_.path() + name);
    }
    notices_ = agent::NoticeLog(open(folder_.path()), [](const std::string&) {});
  }

  // Adds a resource.
  agent::ResourceView& add(const std::string& tag, const std::string& group, State state) {
    histories_.emplace_back();
    agent::ResourceView one{.tag = tag,
                            .id = tag,
                            .type = "script",
                            .group = group,
                            .state = state,
                            .since = common::Clock::now() - 4min};
    one.history = &histories_.back();
    view_.resources.push_back(one);
    return view_.resources.back();
  }
  agent::History& history(std::size_t index) { return histories_.at(index); }
  agent::View& view() { return view_; }

  // Runs it in the event loop, as what the supervisor does.
  void change(const std::function<void()>& act) {
    in_loop([this, &act] {
      act();
      ++version_;
    });
  }
  void tell(agent::Severity severity, const std::string& tag, const std::string& text) {
    in_loop([&] {
      notices_.add({agent::NoticeKind::state, severity, tag, text}, common::WallClock::now());
    });
  }

 private:
  static common::Directory open(const std::string& path) {
    return common::Directory::open(path, "folder", common::Directory::Symlink::refuse);
  }

  void in_loop(const std::function<void()>& act) {
    std::promise<void> done;
    asio::post(*io_, [&] {
      act();
      done.set_value();
    });
    done.get_future().wait();
  }

  agent::PageData data() {
    const auto info = [this] { return agent::AgentInfo{4711, began_}; };
    agent::PageData data;
    data.status = [this, info](agent::Past past) {
      return agent::status_json(view_, info(), agent::ClockPair::now(), past);
    };
    data.metrics = [this, info] {
      return agent::metrics_text(view_, info(), agent::ClockPair::now(), notices_.counts());
    };
    data.version = [this] { return version_; };
    data.news = [this, info](std::uint64_t read) {
      feed_.update(view_);
      return feed_.after(read, 128 * 1024, view_, info(), agent::ClockPair::now());
    };
    data.notices = [this](std::uint64_t number, std::size_t most) {
      std::vector<agent::PageData::Told> out;
      for (const auto& entry : notices_.after(number, most)) {
        out.push_back({entry.number, common::utc_text(entry.time), agent::notice_json(entry)});
      }
      return out;
    };
    data.last_notice = [this] { return notices_.last_number(); };
    return data;
  }

  TempDir folder_;
  Port port_;
  common::Clock::time_point began_ = common::Clock::now() - 3h;
  agent::View view_;
  std::deque<agent::History> histories_;
  std::uint64_t version_ = 1;
  agent::NoticeLog notices_;
  agent::StatusFeed feed_;
  std::optional<asio::io_context> io_;
  std::optional<agent::PageServer> server_;
  std::thread thread_;
};

agent::MonitorView monitor(const std::string& name, agent::MonitorState state) {
  return {name, agent::MonitorKind::http, agent::MonitorMode::long_running, state, 0, ""};
}

void add_past(agent::History& history, State last, bool faulted = false) {
  const auto now = common::Clock::now();
  history.enter(now - 14min, State::offline, false);
  history.enter(now - 12min, State::going_online, false);
  history.enter(now - 11min, State::online, false);
  if (last != State::online) history.enter(now - 4min, last, faulted);
  for (int i = 60; i > 0; --i) {
    const auto at = now - i * 14s;
    const bool online = at > now - 11min && (last == State::online || at < now - 4min);
    const auto how = i == 22  ? agent::Ended::timed_out
                     : online ? agent::Ended::done
                              : agent::Ended::failed;
    history.probed({at, how, 12ms});
  }
}

// A group with dependencies, another on standby, one without.
void fill(ShownAgent& shown) {
  agent::View& view = shown.view();
  view.groups = {{"shop", false, false}, {"spare", true, false}};
  auto& address = shown.add("address", "shop", State::online);
  address.type = "lbhc";
  address.critical = true;
  auto& db = shown.add("db", "shop", State::online);
  db.critical = true;
  db.depends_on = {"address"};
  db.monitors = {monitor("answers", agent::MonitorState::watching),
                 monitor("alive", agent::MonitorState::watching)};
  auto& web = shown.add("web", "shop", State::online);
  web.depends_on = {"db"};
  web.counts.restarts = 1;
  web.monitors = {monitor("front", agent::MonitorState::watching)};
  auto& mail = shown.add("mail", "shop", State::going_online);
  mail.depends_on = {"address"};
  mail.running = agent::Task::start;
  mail.goal = agent::Goal::online;
  mail.monitors = {monitor("smtp", agent::MonitorState::stabilizing)};
  auto& spare = shown.add("report", "spare", State::offline);
  spare.wanted = false;
  auto& batch = shown.add("batch", "", State::online);
  batch.suspended = true;
  batch.monitors = {monitor("queue", agent::MonitorState::suspended)};
  for (std::size_t i = 0; i < view.resources.size(); ++i) {
    add_past(shown.history(i), view.resources[i].state);
  }
  shown.tell(agent::Severity::info, "", "the agent has begun");
  shown.tell(agent::Severity::warning, "web", "was offline without a command; restart 1 of 3");
  shown.tell(agent::Severity::info, "web", "Online: seen online");
}

const std::string kLive = "document.body.classList.contains('live')";

std::string row(const std::string& tag) {
  return "document.querySelector('tbody[data-tag=\"" + tag + "\"]')";
}

class StatusPage : public testing::Test {
 protected:
  void open() {
    browser_.open(shown_.url());
    ASSERT_TRUE(browser_.becomes_true(kLive));
  }
  std::string text(const std::string& node) { return browser_.evaluate(node + ".textContent"); }
  bool becomes(const std::string& node, const std::string& part) {
    return browser_.becomes_true(node + "?.textContent.includes('" + part + "')");
  }
  // For people who want to see it: into the folder GENAPP_PICTURES.
  void picture(const std::string& name) {
    const char* to = ::getenv("GENAPP_PICTURES");
    if (to) browser_.save_picture(std::string(to) + "/" + name + ".png");
  }

  TempDir folder_;
  ShownAgent shown_;
  Browser browser_{folder_.path()};
};

TEST_F(StatusPage, ShowsGroupsResourcesAndTheirOrder) {
  fill(shown_);
  open();
  EXPECT_EQ(
      browser_.evaluate("[...document.querySelectorAll('tbody.resource')].map(b => "
                        "b.dataset.tag + b.querySelector('[class^=level]').className.slice(5))"
                        ".join(' ')"),
      "address-0 db-1 web-2 mail-1 report-0 batch-0")
      << "each below what it depends on, those of no group last";
  EXPECT_EQ(browser_.evaluate("[...document.querySelectorAll('tr.group')].map(g => g.textContent)"
                              ".join('|')"),
            "Group shop|Group sparestandby: online on another node|In no group");
  EXPECT_THAT(text(row("db")), HasSubstr("Online"));
  EXPECT_THAT(text(row("mail")), HasSubstr("Going online"));
  EXPECT_THAT(text(row("mail")), HasSubstr("start runs"));
  EXPECT_THAT(text(row("web")), HasSubstr("1 restart"));
  EXPECT_THAT(text(row("batch")), HasSubstr("monitors suspended"));
  EXPECT_THAT(text("document.getElementById('totals')"), HasSubstr("4online"));
  EXPECT_EQ(browser_.evaluate("[...document.querySelectorAll('#events b')].map(b => b.textContent)"
                              ".join('|')"),
            "web|web|")
      << "newest first";
  EXPECT_EQ(browser_.evaluate(row("db") + ".querySelectorAll('svg path').length >= 4"), "true");
  EXPECT_THAT(browser_.complaints(), IsEmpty());
  for (const auto scheme : {Browser::Scheme::light, Browser::Scheme::dark}) {
    const std::string name = scheme == Browser::Scheme::light ? "light" : "dark";
    browser_.look(1440, 800, scheme);
    picture(name);
    browser_.look(390, 844, scheme);
    EXPECT_EQ(browser_.evaluate("document.documentElement.scrollWidth <= 390"), "true")
        << "a phone need not scroll sideways";
    EXPECT_EQ(browser_.evaluate("getComputedStyle(document.getElementById('empty')).display"),
              "none");
    picture("phone-" + name);
  }
}

TEST_F(StatusPage, TellsWhatChangesWithoutBeingLoadedAnew) {
  fill(shown_);
  open();
  browser_.evaluate("window.same = 'page'");
  browser_.evaluate("document.querySelector('tbody[data-tag=web] button').focus()");
  shown_.change([&] {
    auto& web = shown_.view().resources[2];
    web.state = State::offline;
    web.faulted = true;
    web.fault = "the start command ended with 1: no such table";
    web.since = common::Clock::now();
    web.monitors[0].state = agent::MonitorState::failed;
    web.monitors[0].reason = "connect error: ECONNREFUSED";
    shown_.history(2).enter(web.since, State::offline, true);
  });
  shown_.tell(agent::Severity::error, "web", "faulted: no such table");
  EXPECT_TRUE(becomes(row("web"), "Offline, faulted"));
  EXPECT_TRUE(becomes(row("web"), "no such table"));
  EXPECT_TRUE(becomes(row("web"), "front: connect error: ECONNREFUSED"));
  EXPECT_TRUE(becomes("document.querySelector('#events li')", "faulted: no such table"));
  EXPECT_TRUE(becomes("document.getElementById('latest')", "error: web faulted"));
  EXPECT_EQ(browser_.evaluate("document.title"), "genapp: 1 faulted");
  EXPECT_EQ(browser_.evaluate("window.same"), "page");
  EXPECT_EQ(browser_.evaluate("document.activeElement.textContent"), "web")
      << "the keyboard is not taken elsewhere";

  browser_.evaluate("document.querySelector('tbody[data-tag=web] button').click()");
  EXPECT_TRUE(becomes(row("web") + ".querySelector('.details')", "Last probes"));
  browser_.look(1440, 1000, Browser::Scheme::light);
  picture("fault-light");
  browser_.look(1440, 1000, Browser::Scheme::dark);
  picture("fault-dark");
  EXPECT_THAT(browser_.complaints(), IsEmpty());
}

TEST_F(StatusPage, WhatCanNotBeToldIsNotJustOnline) {
  fill(shown_);
  open();
  shown_.change([&] {
    shown_.view().resources[1].last_reason = "quickCheck can't be started";
    shown_.history(1).probed({common::Clock::now(), agent::Ended::unknown, 1ms});
  });
  EXPECT_TRUE(becomes(row("db"), "its monitor cannot tell"));
  EXPECT_TRUE(becomes(row("db"), "be started"));
  EXPECT_THAT(text(row("db")), HasSubstr("Online")) << "that is what it was last";
  browser_.evaluate("document.getElementById('trouble').click()");
  EXPECT_TRUE(browser_.becomes_true(row("web") + ".hidden && !" + row("db") + ".hidden"));
  shown_.change([&] { shown_.history(1).probed({common::Clock::now(), agent::Ended::done, 1ms}); });
  EXPECT_TRUE(browser_.becomes_true(row("db") + ".hidden"));
  EXPECT_THAT(text(row("db")), Not(HasSubstr("cannot tell")));
}

TEST_F(StatusPage, DropsWhatIsGone) {
  fill(shown_);
  open();
  shown_.change([&] {
    auto& all = shown_.view().resources;
    all.erase(all.begin() + 3);
    shown_.view().groups.pop_back();
    all[3].group = "shop";
  });
  EXPECT_TRUE(browser_.becomes_true(row("mail") + " === null"));
  EXPECT_TRUE(browser_.becomes_true("document.querySelectorAll('tr.group').length === 2"));
}

TEST_F(StatusPage, SaysThatTheConnectionIsLostAndGoesOnAfterwards) {
  fill(shown_);
  open();
  shown_.end();
  EXPECT_TRUE(becomes("document.getElementById('connection')", "Connection lost"));
  EXPECT_EQ(browser_.evaluate(kLive), "false");
  EXPECT_THAT(text(row("web")), HasSubstr("Online")) << "the last that is known stays";
  browser_.look(1440, 800, Browser::Scheme::light);
  picture("lost");
  shown_.view().resources[2].state = State::offline;
  shown_.view().resources.pop_back();
  shown_.begin();
  shown_.tell(agent::Severity::info, "web", "Offline: after the agent was started anew");
  EXPECT_TRUE(browser_.becomes_true(kLive));
  EXPECT_TRUE(becomes(row("web"), "Offline"));
  EXPECT_TRUE(browser_.becomes_true(row("batch") + " === null"));
  EXPECT_TRUE(browser_.becomes_true("document.querySelectorAll('#events li').length === 4"))
      << "each event once: " << text("document.getElementById('events')");
}

TEST_F(StatusPage, ShowsTheEventsOfANewBoot) {
  // More than a page is told, so that it has never seen the first of them.
  for (int i = 0; i < 400; ++i) shown_.tell(agent::Severity::info, "web", "before the boot");
  open();
  EXPECT_TRUE(browser_.becomes_true("document.querySelectorAll('#events li').length === 300"));
  shown_.end();
  EXPECT_TRUE(becomes("document.getElementById('connection')", "Connection lost"));
  shown_.boot();
  shown_.begin();
  shown_.tell(agent::Severity::error, "web", "after the boot");
  EXPECT_TRUE(browser_.becomes_true(kLive));
  EXPECT_TRUE(becomes("document.querySelector('#events li')", "after the boot"));
  EXPECT_TRUE(browser_.becomes_true("document.querySelectorAll('#events li').length === 1"));
  shown_.tell(agent::Severity::error, "web", "and another");
  EXPECT_TRUE(becomes("document.querySelector('#events li')", "and another"));
}

TEST_F(StatusPage, AGroupThatNothingIsInAnyMoreGoes) {
  fill(shown_);
  open();
  EXPECT_TRUE(browser_.becomes_true("document.querySelectorAll('tr.group').length === 3"));
  shown_.change([&] { shown_.view().resources[5].group = "shop"; });
  EXPECT_TRUE(browser_.becomes_true("document.querySelectorAll('tr.group').length === 2"))
      << "nothing is in no group";
}

TEST_F(StatusPage, WhatItCanNotShowDoesNotPassForLive) {
  fill(shown_);
  open();
  browser_.evaluate("window.stateWords = () => { throw new Error('cannot be drawn'); }");
  shown_.change([&] { shown_.view().resources[2].state = State::offline; });
  EXPECT_TRUE(becomes("document.getElementById('connection')", "load it anew"));
  EXPECT_EQ(browser_.evaluate(kLive), "false");
  // It has missed what failed, whatever it can show by now.
  browser_.evaluate("window.stateWords = (data) => data.state");
  shown_.change([&] { shown_.view().resources[1].state = State::probing; });
  EXPECT_TRUE(becomes(row("db"), "Probing"));
  EXPECT_EQ(browser_.evaluate(kLive), "false");
}

TEST_F(StatusPage, AStreamThatStandsStillIsTakenForLost) {
  fill(shown_);
  open();
  browser_.evaluate(
      "new MutationObserver(() => { if (document.body.classList.contains('lost')) window.wasLost = "
      "true; }).observe(document.body, {attributes: true})");
  browser_.evaluate("(real => { Date.now = () => real() + 60000; })(Date.now)");
  EXPECT_TRUE(browser_.becomes_true("window.wasLost === true"));
  EXPECT_TRUE(browser_.becomes_true(kLive)) << "it has asked anew";
  EXPECT_EQ(browser_.evaluate("document.querySelectorAll('#events li').length"), "3");
}

TEST_F(StatusPage, TakesTextsForNothingButText) {
  const std::string evil = "<img src=x onerror=\"document.title='had'\"><b>bold</b>";
  auto& one = shown_.add("evil", "", State::offline);
  one.faulted = true;
  one.fault = evil;
  one.group = evil;
  one.last_reason = evil + "2";
  one.monitors = {monitor(evil, agent::MonitorState::failed)};
  one.monitors[0].reason = evil;
  shown_.view().groups = {{evil, false, false}};
  shown_.tell(agent::Severity::error, "evil", evil);
  open();
  browser_.evaluate("document.querySelector('tbody.resource button').click()");
  EXPECT_TRUE(becomes("document.querySelector('#events li')", "<b>bold</b>"));
  EXPECT_THAT(text(row("evil")), HasSubstr("<b>bold</b>"));
  EXPECT_EQ(browser_.evaluate("document.querySelectorAll('img, #events b b, td b').length"), "0");
  EXPECT_EQ(browser_.evaluate("document.title"), "genapp: 1 faulted");
}

TEST_F(StatusPage, StaysUsableWithAThousandResources) {
  for (int i = 0; i < 1000; ++i) {
    const std::string group = "group-" + std::to_string(i / 25);
    auto& one =
        shown_.add("resource-" + std::to_string(i), group, i % 7 ? State::online : State::offline);
    one.monitors = {monitor("http", agent::MonitorState::watching)};
    if (i % 25) one.depends_on = {"resource-" + std::to_string(i - i % 25)};
    if (i % 25 == 0) shown_.view().groups.push_back({group, false, false});
    add_past(shown_.history(static_cast<std::size_t>(i)), one.state);
  }
  shown_.view().resources[500].faulted = true;
  open();
  EXPECT_TRUE(browser_.becomes_true("document.querySelectorAll('tbody.resource').length === 1000"));
  EXPECT_EQ(
      browser_.evaluate("[...document.querySelectorAll('tbody.resource')].slice(1, 4).map(b => "
                        "b.dataset.tag).join(' ')"),
      "resource-1 resource-2 resource-3")
      << "as people count";
  browser_.evaluate("window.row = " + row("resource-3"));
  browser_.evaluate("window.drawn = " + row("resource-3") + ".querySelector('.state')");
  shown_.change([&] { shown_.view().resources[4].state = State::going_offline; });
  EXPECT_TRUE(becomes(row("resource-4"), "Going offline"));
  EXPECT_EQ(browser_.evaluate("window.row === " + row("resource-3") + " && window.drawn === " +
                              row("resource-3") + ".querySelector('.state')"),
            "true")
      << "what has not changed is not drawn anew";
  browser_.look(1440, 900, Browser::Scheme::light);
  picture("thousand");

  const auto shown = [](int count) {
    return "document.querySelectorAll('tbody.resource:not([hidden])').length === " +
           std::to_string(count);
  };
  const auto filter = [this](const std::string& words) {
    browser_.evaluate(
        "(f => { f.value = '" + words +
        "'; f.dispatchEvent(new Event('input')); })(document.getElementById('filter'))");
  };
  filter("group-3 resource-99");
  EXPECT_TRUE(browser_.becomes_true(shown(11))) << "group-39's 10, and resource-99 of group-3";
  picture("filtered");
  filter("");
  browser_.evaluate("document.getElementById('trouble').click()");
  EXPECT_TRUE(browser_.becomes_true(shown(1)));
  filter("no such thing");
  EXPECT_TRUE(browser_.becomes_true("!document.getElementById('empty').hidden"));
}

}  // namespace
}  // namespace genapp::tests
