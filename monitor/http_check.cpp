#include "monitor/http_check.hpp"

#include <algorithm>
#include <utility>

#include "common/printable.hpp"
#include "monitor/http_request.hpp"
#include "monitor/http_response.hpp"
#include "monitor/resolver.hpp"

namespace genapp::monitor {
namespace {

using common::Clock;
using Progress = HttpResponseReader::Progress;
using Want = HttpResponseReader::Want;

// Of what the server said.
constexpr std::size_t kMostSeen = 200;

// The seed: without a URI, and with "/", any status is well.
bool judges_status(const HttpSettings& settings) {
  return settings.uri != "/" || !settings.expect_status.empty();
}

bool expected(const HttpSettings& settings, int status) {
  if (settings.expect_status.empty()) return status < 400 || status > 599;
  return std::any_of(
      settings.expect_status.begin(), settings.expect_status.end(),
      [status](const StatusRange& range) { return range.first <= status && status <= range.last; });
}

Want wanted(const HttpSettings& settings) {
  if (settings.get) return Want::body;
  return judges_status(settings) ? Want::status : Want::first_line;
}

class HttpCheck : public Check {
 public:
  HttpCheck(boost::asio::io_context& io, Resolver& resolver, const HttpSettings& settings,
            const TlsContext* tls, Clock::duration wait, CheckDone done)
      : settings_(settings),
        tls_(tls),
        start_(Clock::now()),
        done_(std::move(done)),
        reader_(wanted(settings), settings.expect_body),
        stream_(io, resolver, start_ + wait) {}

  void start() {
    stream_.connect(settings_.server, [this](const auto& fault) {
      if (fault) return end(fault);
      settings_.tls ? start_tls() : send();
    });
  }

 private:
  void start_tls() {
    stream_.start_tls(*tls_, settings_.server,
                      [this](const auto& fault) { fault ? end(fault) : send(); });
  }

  void send() {
    stream_.write(http_request(settings_),
                  [this](const auto& fault) { fault ? end(fault) : read(); });
  }

  void read() {
    const bool header = reader_.status_line().empty();
    stream_.read(header ? "the status line" : "the rest of the answer",
                 [this](const auto& fault, std::string_view bytes) {
                   if (fault) return end(fault);
                   if (seen_.size() < kMostSeen) seen_ += bytes.substr(0, kMostSeen);
                   take(bytes.empty() ? reader_.end() : reader_.put(bytes));
                 });
  }

  void take(Progress progress) {
    switch (progress) {
      case Progress::more:
        return read();
      case Progress::complete:
        return end(judge());
      case Progress::bad:
        return end(Fault{Event::invalid_response, 0, reader_.reason() + words_of_stranger()});
    }
  }

  std::optional<Fault> judge() const {
    if (judges_status(settings_)) {
      if (!reader_.status()) {
        return Fault{Event::invalid_response, 0,
                     "no status code in " + common::quoted(reader_.status_line())};
      }
      if (!expected(settings_, *reader_.status())) {
        return Fault{Event::invalid_status, *reader_.status(),
                     "the server answered " + common::quoted(reader_.status_line())};
      }
    }
    if (!reader_.found()) {
      return Fault{Event::unexpected_body, 0,
                   "the body does not hold " + common::quoted(settings_.expect_body)};
    }
    return std::nullopt;
  }

  // The first line of what is no HTTP.
  std::string words_of_stranger() const {
    if (seen_.empty() || !reader_.status_line().empty()) return "";
    return ": " + common::quoted(first_line());
  }

  std::string first_line() const { return seen_.substr(0, seen_.find_first_of("\r\n")); }

  void end(const std::optional<Fault>& fault) {
    CheckResult result;
    result.fault = fault;
    result.seen = common::printable(
        reader_.status_line().empty() ? first_line() : reader_.status_line(), kMostSeen);
    stream_.close();
    result.took = Clock::now() - start_;
    result.address = stream_.address();
    result.certificate_days = stream_.certificate_days();
    // The last: who is told may drop us.
    const CheckDone done = std::move(done_);
    done(result);
  }

  const HttpSettings& settings_;
  const TlsContext* const tls_;
  const Clock::time_point start_;
  CheckDone done_;
  HttpResponseReader reader_;
  std::string seen_;  // the beginning of what came
  Stream stream_;
};

}  // namespace

std::unique_ptr<Check> start_http_check(boost::asio::io_context& io, Resolver& resolver,
                                        const HttpSettings& settings, const TlsContext* tls,
                                        Clock::duration wait, CheckDone done) {
  auto check = std::make_unique<HttpCheck>(io, resolver, settings, tls, wait, std::move(done));
  check->start();
  return check;
}

}  // namespace genapp::monitor
