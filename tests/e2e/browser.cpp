#include "tests/e2e/browser.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/beast/core/detail/base64.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <stdexcept>

#include "common/fd.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

constexpr auto kAnswerLimit = std::chrono::seconds(60);

common::Fd make_pipe(const std::string& path) {
  if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error(path + ": no pipe");
  // Both ends, so that neither side waits for the other when it opens its own.
  return common::Fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
}

// As root Chromium refuses to run with its sandbox; the pages are ours alone.
Command chromium(const std::string& folder) {
  return {
      .argv = {"sh", "-c",
               "exec chromium-headless-shell --no-sandbox --disable-gpu --disable-dev-shm-usage "
               "--no-first-run --user-data-dir=\"$1/profile\" --remote-debugging-pipe "
               "--hide-scrollbars about:blank 3<\"$1/in\" 4>\"$1/out\"",
               "sh", folder},
      .env = {{"HOME", folder}, {"TZ", "UTC"}, {"DBUS_SESSION_BUS_ADDRESS", "disabled:"}},
      .limit = std::chrono::minutes(5)};
}

}  // namespace

class Browser::Impl {
 public:
  explicit Impl(const std::string& folder)
      : in_(make_pipe(folder + "/in")),
        out_(make_pipe(folder + "/out")),
        browser_(chromium(folder)) {
    const auto target = call("Target.createTarget", {{"url", "about:blank"}}).at("targetId");
    session_ = call("Target.attachToTarget", {{"targetId", target}, {"flatten", true}})
                   .at("sessionId")
                   .as_string();
    for (const char* domain : {"Page.enable", "Runtime.enable", "Log.enable"}) call(domain);
  }

  // Its processes write into the folder until they are gone.
  ~Impl() {
    const pid_t group = browser_.pid();
    session_.clear();
    try {
      call("Browser.close");
      wait_until([&] { return !browser_.running(); }, std::chrono::seconds(5));
    } catch (const std::exception&) {
      // It is ended below.
    }
    ::kill(-group, SIGKILL);
    wait_until([&] { return !browser_.running() && ::kill(-group, 0) != 0; });
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // A command's result; what comes before it is noted.
  json::object call(const std::string& method, const json::object& parameters = {}) {
    json::object message{{"id", ++last_id_}, {"method", method}, {"params", parameters}};
    if (!session_.empty()) message["sessionId"] = session_;
    send(json::serialize(message));
    const auto deadline = Clock::now() + kAnswerLimit;
    for (;;) {
      json::object answer = receive(deadline);
      const json::value* id = answer.if_contains("id");
      if (!id) {
        note(answer);
      } else if (*id == last_id_) {
        if (answer.contains("error")) {
          throw std::runtime_error(method + ": " + json::serialize(answer.at("error")));
        }
        return answer.at("result").as_object();
      }
    }
  }

  std::vector<std::string> complaints{};

 private:
  // Messages end with a zero byte, both ways.
  void send(const std::string& text) {
    const std::size_t size = text.size() + 1;
    if (::write(in_.get(), text.c_str(), size) != static_cast<ssize_t>(size)) {
      throw std::runtime_error("the browser takes no command");
    }
  }

  json::object receive(Clock::time_point deadline) {
    for (;;) {
      if (const auto end = unread_.find('\0'); end != std::string::npos) {
        const std::string text = unread_.substr(0, end);
        unread_.erase(0, end + 1);
        return json::parse(text).as_object();
      }
      pollfd waited{out_.get(), POLLIN, 0};
      if (::poll(&waited, 1, 100) > 0) {
        char buffer[65536];
        const ssize_t size = ::read(out_.get(), buffer, sizeof buffer);
        if (size > 0) unread_.append(buffer, static_cast<std::size_t>(size));
      } else if (!browser_.running() || Clock::now() > deadline) {
        throw std::runtime_error("the browser does not answer: " + browser_.err());
      }
    }
  }

  void note(const json::object& event) {
    const std::string method = event.at("method").as_string().c_str();
    const json::value& what = event.at("params");
    const bool logged = method == "Log.entryAdded" && what.at("entry").at("level") == "error";
    if (logged || method == "Runtime.exceptionThrown") complaints.push_back(json::serialize(what));
  }

  common::Fd in_;
  common::Fd out_;
  Process browser_;
  std::string session_{};
  std::int64_t last_id_ = 0;
  std::string unread_{};
};

Browser::Browser(const std::string& folder) : impl_(std::make_unique<Impl>(folder)) {}
Browser::~Browser() = default;

void Browser::open(const std::string& url) {
  impl_->complaints.clear();
  impl_->call("Page.navigate", {{"url", url}});
  if (!becomes_true("document.readyState === 'complete' && location.href !== 'about:blank'")) {
    throw std::runtime_error(url + " is not loaded");
  }
}

std::string Browser::evaluate(const std::string& expression) {
  const json::object answer = impl_->call(
      "Runtime.evaluate", {{"expression", "String(" + expression + ")"}, {"returnByValue", true}});
  if (answer.contains("exceptionDetails")) {
    throw std::runtime_error(expression + ": " + json::serialize(answer.at("exceptionDetails")));
  }
  return answer.at("result").at("value").as_string().c_str();
}

bool Browser::becomes_true(const std::string& expression) {
  return wait_until([&] { return evaluate(expression) == "true"; });
}

std::vector<std::string> Browser::complaints() { return impl_->complaints; }

void Browser::look(int width, int height, Scheme scheme) {
  impl_->call(
      "Emulation.setDeviceMetricsOverride",
      {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", width < 600}});
  const char* name = scheme == Scheme::dark ? "dark" : "light";
  impl_->call("Emulation.setEmulatedMedia",
              {{"features", {{{"name", "prefers-color-scheme"}, {"value", name}}}}});
}

void Browser::save_picture(const std::string& path) {
  const std::string text =
      impl_->call("Page.captureScreenshot", {{"format", "png"}}).at("data").as_string().c_str();
  namespace base64 = boost::beast::detail::base64;
  std::string bytes(base64::decoded_size(text.size()), '\0');
  bytes.resize(base64::decode(bytes.data(), text.data(), text.size()).first);
  write_file(path, bytes);
}

}  // namespace genapp::tests
