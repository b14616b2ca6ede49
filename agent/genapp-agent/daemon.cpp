#include "agent/genapp-agent/daemon.hpp"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <utility>

#include "agent/control.hpp"
#include "agent/genapp-agent/resources.hpp"
#include "agent/metrics_text.hpp"
#include "agent/notice_log.hpp"
#include "agent/run/hands.hpp"
#include "agent/run/run_files.hpp"
#include "agent/status_json.hpp"
#include "agent/supervisor.hpp"
#include "agent/web/page_server.hpp"
#include "cluster/kind.hpp"
#include "common/control_server.hpp"
#include "common/error.hpp"
#include "common/log.hpp"
#include "common/notify.hpp"
#include "common/paths.hpp"
#include "common/settings.hpp"
#include "common/watchdog.hpp"

namespace genapp::agent {
namespace {

namespace asio = boost::asio;
namespace log = common::log;
namespace paths = common::paths;
using boost::system::error_code;
using common::Clock;
using common::Error;
using common::ExitCode;
using common::WallClock;

constexpr char kName[] = "genapp-agent";
// Whether the run directory is still ours, and whether the page's port can be had by now.
constexpr auto kLookAround = std::chrono::seconds(10);
constexpr std::size_t kMostNewsBytes = 256 * 1024;  // of one part for a page

void set_up_log(const common::Settings& settings) {
  if (settings.log_file.empty()) {
    log::to_stderr_unwaited(kName, settings.log_level);
  } else {
    log::to_file(kName, settings.log_file, settings.log_level);
  }
}

void log_notice(const Notice& notice) {
  const std::string line =
      notice.tag.empty() ? notice.text : "\"" + notice.tag + "\": " + notice.text;
  switch (notice.severity) {
    case Severity::info:
      return log::info(line);
    case Severity::warning:
      return log::warn(line);
    case Severity::error:
      return log::error(line);
  }
}

// A pidfd for each watched process: as many as the system lets us have. Returns what the children
// get back.
std::optional<std::uint64_t> raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return {};
  const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  return before;
}

Surroundings make_surroundings(const DaemonSettings& how) {
  return {find_action_programs(how.programs), environment_for_children(::environ),
          raise_open_files()};
}

void require_registry(const common::Settings& settings) {
  if (cluster::cluster_kind(settings) == common::ClusterKind::registry) return;
  throw Error(
      "this node's resources are LifeKeeper's, which watches them itself: two masters would undo "
      "each other's work; set cluster = \"registry\" in " +
      paths::settings_file() + " where genapp's own are meant");
}

class Daemon {
 public:
  Daemon(common::Settings settings, AgentIdentity& identity, const DaemonSettings& how)
      : settings_(std::move(settings)),
        config_(read_agent_config(toml())),
        identity_(identity),
        run_dir_(common::open_run_dir()),
        notices_(run_dir_.subdirectory(paths::kAgent, 0700),
                 [](const std::string& problem) { log::warn(problem); }),
        hands_({io_, run_dir_, make_surroundings(how),
                [this](const Notice& notice) { tell(notice); }, [] {}}),
        supervisor_(hands_),
        timer_(io_),
        look_around_(io_),
        signals_(io_, SIGTERM, SIGINT, SIGHUP),
        control_(io_, identity.directory(), paths::kAgentSock,
                 [this](std::string_view request) { return answer_control(request, handlers_); }) {
    hands_.serve(supervisor_);
    handlers_ = make_handlers();
  }

  ExitCode run() {
    wait_for_signal();
    take_resources();
    open_page();
    control_.start();
    look_around();
    if (const auto time = common::watchdog_time()) watchdog_.emplace(io_, *time);
    tell({NoticeKind::agent, Severity::info, "",
          "the agent runs, process " + std::to_string(::getpid())});
    common::notify_systemd("READY=1\nSTATUS=watching");
    while (!end_) {
      arm();
      io_.run_one();
    }
    return *end_;
  }

 private:
  const common::TomlFile* toml() const { return settings_.file ? &*settings_.file : nullptr; }

  // ---- resources

  void take_resources() {
    const auto records = hands_.read_records();
    Resources resources = read_resources(settings_);
    for (const auto& [tag, text] : resources.problems) {
      tell({NoticeKind::settings, Severity::error, tag, "it is left out: " + text});
    }
    set_resources(std::move(resources), records);
  }

  void set_resources(Resources resources, const std::map<std::string, Record>& records) {
    std::vector<Supervisor::Known> known;
    for (ResourceConfig& config : resources.configs) {
      const auto record = records.find(config.tag.text());
      known.push_back({std::move(config),
                       record == records.end() ? std::nullopt : std::optional(record->second)});
    }
    supervisor_.set_resources(std::move(known), config_.groups, Clock::now());
  }

  // All of it or, where anything is wrong, nothing.
  Answer reload() try {
    common::Settings settings = common::read_settings();
    require_registry(settings);
    AgentConfig config = read_agent_config(settings.file ? &*settings.file : nullptr);
    Resources resources = read_resources(settings);
    if (!resources.problems.empty()) {
      const auto& first = resources.problems.front();
      return {false, "nothing was changed, since \"" + first.tag + "\" is wrong: " + first.text};
    }
    // Of those that were left out until now, for what was wrong with them.
    const auto records = hands_.read_records();
    settings_ = std::move(settings);
    config_.groups = std::move(config.groups);
    const std::size_t count = resources.configs.size();
    set_resources(std::move(resources), records);
    tell({NoticeKind::settings, Severity::info, "",
          std::to_string(count) + " resources were read anew"});
    return {true};
  } catch (const Error& problem) {
    return {false, std::string("nothing was changed: ") + problem.what()};
  }

  // ---- what others ask

  ControlHandlers make_handlers() {
    ControlHandlers handlers;
    handlers.status = [this](const auto& tag) { return status(tag); };
    handlers.events = [this](const AskEvents& asked) { return events(asked); };
    handlers.order = [this](const Order& order) { return obey(order); };
    handlers.reload = [this] { return reload(); };
    handlers.pid = ::getpid();
    return handlers;
  }

  Answer obey(const Order& order) {
    const std::string tag = order.of_group ? "" : order.name;
    const std::string what =
        std::string(name_of(order.request)) + (order.of_group ? " of group " + order.name : "");
    tell({NoticeKind::command, Severity::info, tag, what + " was asked for"});
    const Answer answer = follow(supervisor_, order, Clock::now());
    if (!answer.accepted) {
      tell({NoticeKind::command, Severity::warning, tag, what + " was refused: " + answer.text});
    }
    return answer;
  }

  std::optional<std::string> status(const std::optional<common::Tag>& tag) const {
    View view;
    if (tag) {
      auto one = supervisor_.view(tag->text());
      if (!one) return std::nullopt;
      view.resources.push_back(std::move(*one));
    } else {
      view = supervisor_.view();
    }
    std::string text = status_json(view, info_, ClockPair::now(), Past::left_out);
    if (text.ends_with('\n')) text.pop_back();
    return text;
  }

  ControlHandlers::Events events(const AskEvents& asked) const {
    const auto all = notices_.after(asked.after, NoticeLog::kMost);
    const std::size_t first = all.size() - std::min(all.size(), asked.most);
    std::string array = "[";
    for (std::size_t i = first; i < all.size(); ++i) {
      array += (i == first ? "" : ",") + notice_json(all[i]);
    }
    return {array + "]", notices_.last_number()};
  }

  // ---- the page

  PageData page_data() {
    PageData data;
    data.status = [this](Past past) {
      return status_json(supervisor_.view(), info_, ClockPair::now(), past);
    };
    data.metrics = [this] {
      return metrics_text(supervisor_.view(), info_, ClockPair::now(), notices_.counts());
    };
    data.version = [this] { return supervisor_.version(); };
    data.news = [this](std::uint64_t read) {
      const View view = supervisor_.view();
      if (fed_ != supervisor_.version()) feed_.update(view);
      fed_ = supervisor_.version();
      return feed_.after(read, kMostNewsBytes, view, info_, ClockPair::now());
    };
    data.notices = [this](std::uint64_t number, std::size_t most) {
      std::vector<PageData::Told> all;
      for (const auto& entry : notices_.after(number, most)) {
        all.push_back({entry.number, common::utc_text(entry.time), notice_json(entry)});
      }
      return all;
    };
    data.last_notice = [this] { return notices_.last_number(); };
    return data;
  }

  // The page is for looking at. That its port is taken keeps nothing from being watched.
  void open_page() {
    if (config_.page.empty() || page_) return;
    try {
      page_.emplace(io_, config_.page, page_data());
      if (std::exchange(page_trouble_, false)) {
        tell({NoticeKind::agent, Severity::info, "", "the status page is served by now"});
      }
    } catch (const Error& problem) {
      if (std::exchange(page_trouble_, true)) return;
      tell({NoticeKind::agent, Severity::warning, "",
            std::string("there is no status page, which is tried again: ") + problem.what()});
    }
  }

  // ---- the loop

  // Each turn of the loop may have changed what is due next.
  void arm() {
    const auto due = supervisor_.due();
    if (due == armed_) return;
    armed_ = due;
    if (!due) {
      timer_.cancel();
      return;
    }
    timer_.expires_at(*due);
    timer_.async_wait([this](error_code cancelled) {
      if (cancelled) return;
      armed_.reset();
      supervisor_.tick(Clock::now());
    });
  }

  void look_around() {
    look_around_.expires_after(kLookAround);
    look_around_.async_wait([this](error_code cancelled) {
      if (cancelled) return;
      if (!identity_.in_place()) {
        log::error(identity_.directory().path() +
                   " was deleted or replaced: ending, since nobody could command this agent any "
                   "more");
        end_ = ExitCode::failed;
        return;
      }
      open_page();
      look_around();
    });
  }

  void wait_for_signal() {
    signals_.async_wait([this](error_code cancelled, int signal) {
      if (cancelled) return;
      if (signal == SIGHUP) {
        hang_up();
        wait_for_signal();
        return;
      }
      common::notify_systemd("STOPPING=1");
      tell(
          {NoticeKind::agent, Severity::info, "", "the agent ends; applications stay as they are"});
      end_ = ExitCode::ok;
    });
  }

  void hang_up() {
    log::reopen();
    const Answer answer = reload();
    if (answer.accepted) return;
    tell({NoticeKind::settings, Severity::error, "", answer.text});
  }

  void tell(const Notice& notice) {
    notices_.add(notice, WallClock::now());
    log_notice(notice);
  }

  common::Settings settings_;
  AgentConfig config_;
  AgentIdentity& identity_;
  common::Directory run_dir_;
  const AgentInfo info_{::getpid(), Clock::now()};
  asio::io_context io_{1};
  NoticeLog notices_;
  Hands hands_;
  Supervisor supervisor_;
  asio::steady_timer timer_;
  asio::steady_timer look_around_;
  asio::signal_set signals_;
  ControlHandlers handlers_{};
  common::ControlServer control_;
  std::optional<PageServer> page_{};
  std::optional<common::Watchdog> watchdog_{};
  StatusFeed feed_{};
  std::uint64_t fed_ = 0;
  bool page_trouble_ = false;
  std::optional<Clock::time_point> armed_{};
  std::optional<ExitCode> end_{};
};

}  // namespace

ExitCode run_daemon(const DaemonSettings& how) {
  common::Settings settings = common::read_settings();
  require_registry(settings);
  set_up_log(settings);
  AgentIdentity identity = AgentIdentity::take();
  try {
    const ExitCode code = Daemon(std::move(settings), identity, how).run();
    // Lost files may by now be another's.
    if (code == ExitCode::ok) identity.release();
    return code;
  } catch (const Error&) {
    identity.release();
    throw;
  }
}

}  // namespace genapp::agent
