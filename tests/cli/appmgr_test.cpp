// The real appmgr against an appserver that does as each test says.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>

#include "common/fd.hpp"
#include "tests/support/fake_appserver.hpp"
#include "tests/support/hostile_server.hpp"
#include "tests/support/node.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/text.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/remote/certificates.hpp"

namespace genapp::tests {
namespace {

using common::Ending;
using remote::NumberedRequest;
using remote::Offsets;
using remote::Output;
using remote::Refusal;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// What its connections were asked, as a word each; thread-safe.
class Journal {
 public:
  void note(const std::optional<NumberedRequest>& request) {
    const std::lock_guard lock(mutex_);
    words_.push_back(request ? word(request->request) : "gone");
  }
  std::vector<std::string> words() const {
    const std::lock_guard lock(mutex_);
    return words_;
  }

 private:
  static std::string word(const remote::Request& request) {
    const std::string text = remote::format_request({1, request});
    const std::string key = "\"do\":\"";
    const auto begin = text.find(key) + key.size();
    return text.substr(begin, text.find('"', begin) - begin);
  }

  mutable std::mutex mutex_;
  std::vector<std::string> words_;
};

// A pipe with a reader that does not read.
class Unread {
 public:
  Unread() {
    if (::mkfifo(path().c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
    reader_ = common::Fd(::open(path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    writer_ = common::Fd(::open(path().c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  }
  std::string path() const { return folder_ / "pipe"; }
  bool is_full() const {
    pollfd room{writer_.get(), POLLOUT, 0};
    return ::poll(&room, 1, 0) == 0;
  }

 private:
  TempDir folder_;
  common::Fd reader_;
  common::Fd writer_;
};

class Appmgr : public testing::Test {
 protected:
  // Options, before the verb's own.
  std::vector<std::string> call(const FakeAppserver& server, const std::string& timeout = "30",
                                const std::string& host = "127.0.0.1") const {
    return call(server.port(), timeout, host);
  }
  std::vector<std::string> call(std::uint16_t port, const std::string& timeout = "30",
                                const std::string& host = "127.0.0.1") const {
    return {"appmgr",
            "--node",
            host + ":" + std::to_string(port),
            "--timeout",
            timeout,
            "--certificate",
            client_.certificate,
            "--key",
            client_.key,
            "--authorities",
            client_.authorities};
  }
  static std::vector<std::string> with(std::vector<std::string> argv,
                                       const std::vector<std::string>& more) {
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  }
  static std::vector<std::string> to_run(const std::vector<std::string>& argv) {
    return with(argv, {"--session", "s1", "--", "/bin/app", "an argument"});
  }

  Result run(const FakeAppserver& server, const std::string& timeout = "30") const {
    return node_.run(to_run(call(server, timeout)));
  }
  Result ask(const FakeAppserver& server, const std::vector<std::string>& verb) const {
    return node_.run(with(call(server), verb));
  }
  Process begin(const FakeAppserver& server, const std::string& timeout = "30") const {
    return Process(node_.command(to_run(call(server, timeout))));
  }
  // A request, noted.
  std::optional<NumberedRequest> next(FakeTalk& talk) {
    auto request = talk.request();
    journal_.note(request);
    return request;
  }
  // Takes the start or attach and says yes.
  bool accept(FakeTalk& talk, bool started = true) {
    if (!talk.begin()) return false;
    const auto request = next(talk);
    return request && talk.reply(*request, started);
  }

  Node node_;
  RemoteAuthority authority_;
  remote::TlsFiles server_ = authority_.issue(server_wish());
  remote::TlsFiles client_ = authority_.issue({.name = "host1"});
  Journal journal_;
};

TEST_F(Appmgr, StartsACommandShowsItsOutputAndExitsWithItsCode) {
  std::optional<remote::Start> start;
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (!talk.begin()) return;
    const auto request = talk.request();
    if (!request) return;
    start = std::get<remote::Start>(request->request);
    talk.reply(*request, true);
    talk.output(Output::out, 0, "to stdout\n");
    talk.output(Output::err, 0, "to stderr\n");
    talk.finish(Ending{false, 3}, {10, 10});
  });
  const Result result = node_.run(
      with(call(server), {"--env", "A=b=c", "--session", "s1", "--", "/bin/app", "--", "-x", ""}));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.out, "to stdout\n");
  EXPECT_EQ(result.err, "to stderr\n");
  ASSERT_TRUE(start);
  EXPECT_EQ(start->session.text(), "s1");
  EXPECT_THAT(start->command, ElementsAre("/bin/app", "--", "-x", ""));
  EXPECT_THAT(start->environment, ElementsAre(std::pair("A", "b=c")));
  EXPECT_TRUE(start->attach);
  EXPECT_EQ(start->timeout_s, 30);
  EXPECT_EQ(start->manager.size(), 32u);
  EXPECT_EQ(server.connections(), 1u);
}

TEST_F(Appmgr, ASignalIs128AndItsNumber) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (accept(talk)) talk.finish(Ending{true, SIGKILL});
  });
  const Result result = run(server);
  EXPECT_EQ(result.exit_code, 137);
  EXPECT_THAT(result.err, HasSubstr("was ended by signal 9 (Killed)"));
}

TEST_F(Appmgr, AnEndThatNobodySawIs249) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (accept(talk)) talk.finish(std::nullopt);
  });
  const Result result = run(server);
  EXPECT_EQ(result.exit_code, 249);
  EXPECT_THAT(result.err, HasSubstr("nobody saw how"));
}

TEST_F(Appmgr, AttachSendsNoStart) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (accept(talk, false)) talk.finish(Ending{false, 0});
  });
  EXPECT_EQ(ask(server, {"--attach", "s1"}).exit_code, 0);
  EXPECT_THAT(journal_.words(), ElementsAre("attach"));
}

// Not trusted, or not trusting. None of these waits for the time-out.

TEST_F(Appmgr, AServerOfAnotherAuthorityIsNotSpokenTo) {
  RemoteAuthority other;
  FakeAppserver server(other.issue(server_wish()),
                       [&](FakeTalk& talk, std::size_t) { talk.begin(); });
  const Result result = run(server, "3600");
  EXPECT_EQ(result.exit_code, 250);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("its certificate was refused: "), HasSubstr("nothing was started")));
}

TEST_F(Appmgr, AServerOfAnotherNameIsNotSpokenTo) {
  FakeAppserver server(authority_.issue(server_wish("DNS:elsewhere")),
                       [&](FakeTalk& talk, std::size_t) {
                         if (accept(talk)) talk.finish(Ending{false, 0});
                       });
  const Result result = run(server, "3600");
  EXPECT_EQ(result.exit_code, 250);
  EXPECT_THAT(result.err, HasSubstr("it is not for \"127.0.0.1\""));
  // That is its name, wherever it is.
  EXPECT_EQ(node_.run(to_run(with(call(server), {"--server-name", "elsewhere"}))).exit_code, 0);
}

TEST_F(Appmgr, AServerOfAnOlderTlsIsNotSpokenTo) {
  FakeAppserver server(server_, {.tls_1_2 = true},
                       [&](FakeTalk& talk, std::size_t) { talk.begin(); });
  const Result result = run(server, "3600");
  EXPECT_EQ(result.exit_code, 250);
  EXPECT_THAT(result.err, HasSubstr("it does not speak TLS 1.3"));
}

TEST_F(Appmgr, WhatSpeaksNoTlsIsNotSpokenTo) {
  HostileServer server(talk::scripted({{"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "\x16"}}));
  const Result result = node_.run(to_run(call(server.port(), "3600")));
  EXPECT_EQ(result.exit_code, 250);
  EXPECT_THAT(result.err, HasSubstr("it does not speak TLS"));
}

TEST_F(Appmgr, AServerThatDoesNotAcceptUsHasRefused) {
  RemoteAuthority other;
  remote::TlsFiles files = other.issue({.name = "host1"});
  files.authorities = client_.authorities;
  client_ = files;
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) { talk.begin(); });
  const Result result = run(server, "3600");
  EXPECT_EQ(result.exit_code, 251);
  EXPECT_THAT(result.err, HasSubstr("it did not accept our certificate: "));
}

TEST_F(Appmgr, KeysThatCanNotBeReadStartNothing) {
  FakeAppserver server(server_, [&](FakeTalk&, std::size_t) {});
  client_.key += ".none";
  const Result result = run(server);
  EXPECT_EQ(result.exit_code, 250);
  EXPECT_THAT(result.err, HasSubstr(client_.key + ": No such file or directory"));
  EXPECT_EQ(server.connections(), 0u);
}

// Not reached.

TEST_F(Appmgr, NobodyThereIsUnreachableAfterTheTimeOut) {
  Port port;
  const Result result = node_.run(to_run(call(port.number(), "1")));
  EXPECT_EQ(result.exit_code, 250);
  EXPECT_THAT(result.err, AllOf(HasSubstr("no contact for 1 seconds"),
                                HasSubstr("Connection refused"), HasSubstr("nothing was started")));
}

TEST_F(Appmgr, ANameThatNobodyKnowsIsUnreachable) {
  Port port;
  const Result result = node_.run(to_run(call(port.number(), "1", "no-such-host.invalid")));
  EXPECT_EQ(result.exit_code, 250);
  EXPECT_THAT(result.err, HasSubstr("no-such-host.invalid"));
}

TEST_F(Appmgr, AHostThatSaysNothingIsUnreachable) {
  BlackHole nobody;
  const Result result = node_.run(to_run(call(nobody.port(), "1")));
  EXPECT_EQ(result.exit_code, 250);
  EXPECT_THAT(result.err, HasSubstr("no answer in time"));
}

TEST_F(Appmgr, AServerThatStartsLaterIsFound) {
  std::optional<FakeAppserver> server;
  Port port;
  Process manager(node_.command(to_run(call(port.number()))));
  ASSERT_TRUE(wait_until([&] { return manager.err().find("refused") != std::string::npos; }));
  server.emplace(server_, FakeAppserver::Wish{.port = port.number()},
                 [&](FakeTalk& talk, std::size_t) {
                   if (accept(talk)) talk.finish(Ending{false, 5});
                 });
  EXPECT_EQ(manager.wait().exit_code, 5);
}

TEST_F(Appmgr, EveryAddressOfANameIsTried) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (accept(talk)) talk.finish(Ending{false, 5});
  });
  // It may be ::1 first, where nobody listens.
  EXPECT_EQ(node_.run(to_run(call(server, "30", "localhost"))).exit_code, 5);
}

TEST_F(Appmgr, IPv6IsReached) {
  FakeAppserver server(authority_.issue(server_wish("IP:::1")), {.host = "::1"},
                       [&](FakeTalk& talk, std::size_t) {
                         if (accept(talk)) talk.finish(Ending{false, 5});
                       });
  EXPECT_EQ(node_.run(to_run(call(server, "30", "[::1]"))).exit_code, 5);
}

// Each step of a connection, at which the server falls silent or closes.

enum class At { accepted, secured, upgraded, greeted };

bool come_to(FakeTalk& talk, At where) {
  if (where >= At::secured && !talk.tls()) return false;
  if (where >= At::upgraded && !talk.upgrade()) return false;
  return where < At::greeted || talk.hello();
}

class AppmgrAt : public Appmgr, public testing::WithParamInterface<At> {};

TEST_P(AppmgrAt, SilenceEndsAtTheTimeOut) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (come_to(talk, GetParam())) talk.be_silent();
  });
  const Result result = run(server, "1");
  const bool asked = GetParam() == At::greeted;
  EXPECT_EQ(result.exit_code, asked ? 253 : 250);
  EXPECT_THAT(result.err,
              HasSubstr(asked ? "may still run there; see `appmgr --node 127.0.0.1:" +
                                    std::to_string(server.port()) + " --status --session s1`"
                              : "nothing was started"));
  EXPECT_GT(server.connections(), 1u);
}

TEST_P(AppmgrAt, AClosedConnectionIsMadeAnew) {
  for (const bool reset : {false, true}) {
    FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
      if (number < 3) {
        come_to(talk, GetParam());
        if (reset) talk.reset();
        return;
      }
      if (accept(talk)) talk.finish(Ending{false, 6});
    });
    const Result result = run(server);
    EXPECT_EQ(result.exit_code, 6) << result.err;
    EXPECT_EQ(server.connections(), 4u);
  }
  EXPECT_THAT(journal_.words(), ElementsAre("start", "start"));
}

std::string name_of_step(const testing::TestParamInfo<At>& which) {
  constexpr std::array kNames{"accepted", "secured", "upgraded", "greeted"};
  return kNames.at(static_cast<std::size_t>(which.param));
}
INSTANTIATE_TEST_SUITE_P(EachStep, AppmgrAt,
                         testing::Values(At::accepted, At::secured, At::upgraded, At::greeted),
                         name_of_step);

// A port that greets and does nothing else must not keep it for ever.
TEST_F(Appmgr, AServerThatGreetsAndClosesForEverIsGivenUp) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) { talk.begin(); });
  const Result result = run(server, "1");
  EXPECT_EQ(result.exit_code, 253) << result.err;  // the start may have been heard
}

TEST_F(Appmgr, HttpSaysWhatIsWrong) {
  FakeAppserver full(server_, [&](FakeTalk& talk, std::size_t number) {
    if (number > 0) {
      if (accept(talk)) talk.finish(Ending{false, 4});
    } else if (talk.tls()) {
      talk.decline("503 Service Unavailable", "there are too many connections\n");
    }
  });
  const Result later = run(full);
  EXPECT_EQ(later.exit_code, 4);
  EXPECT_THAT(later.err, HasSubstr("HTTP status 503: there are too many connections"));

  FakeAppserver other(server_, [&](FakeTalk& talk, std::size_t) {
    if (talk.tls()) talk.decline("404 Not Found", "there is only /other\n");
  });
  const Result refused = run(other, "3600");
  EXPECT_EQ(refused.exit_code, 251);
  EXPECT_THAT(refused.err, HasSubstr("HTTP status 404: there is only /other"));
}

TEST_F(Appmgr, AnotherVersionIsRefused) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (talk.tls() && talk.upgrade() && talk.hello(2)) talk.hold();
  });
  const Result result = run(server, "3600");
  EXPECT_EQ(result.exit_code, 251);
  EXPECT_THAT(result.err, HasSubstr("it speaks version 2 of the protocol, and we speak 1"));
}

// Refusals.

struct Refused {
  Refusal why;
  int code;
  std::string text;
};

class AppmgrRefused : public Appmgr, public testing::WithParamInterface<Refused> {};

TEST_P(AppmgrRefused, HasItsCode) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (!talk.begin()) return;
    if (const auto request = talk.request()) talk.refuse(*request, GetParam().why);
    talk.hold();
  });
  const Result result = run(server);
  EXPECT_EQ(result.exit_code, GetParam().code);
  EXPECT_THAT(result.err, AllOf(HasSubstr("says the fake"), HasSubstr(GetParam().text)));
  EXPECT_EQ(count_of(result.err, "\n"), 1u) << result.err;
  EXPECT_EQ(server.connections(), 1u);
}

std::string name_of_refusal(const testing::TestParamInfo<Refused>& which) {
  std::string name(name_of(which.param.why));
  std::erase(name, '-');
  return name;
}
INSTANTIATE_TEST_SUITE_P(
    Each, AppmgrRefused,
    testing::Values(Refused{Refusal::denied, 251, "nothing was started"},
                    Refused{Refusal::busy, 251, "has a manager already"},
                    Refused{Refusal::other_command, 251, "other-command"},
                    Refused{Refusal::limit, 251, "limit"}, Refused{Refusal::failed, 251, "failed"},
                    Refused{Refusal::could_not_start, 252, "\"/bin/app\" could not be started"}),
    name_of_refusal);

// Connections that are lost.

TEST_F(Appmgr, AStartWhoseReplyIsLostIsMadeAgainAndIsTheSame) {
  std::vector<std::string> managers;
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (!talk.begin()) return;
    const auto request = next(talk);
    if (!request) return;
    managers.push_back(std::get<remote::Start>(request->request).manager);
    if (number == 0) return;  // heard, and not answered
    talk.reply(*request, false);
    talk.finish(Ending{false, 7});
  });
  EXPECT_EQ(run(server).exit_code, 7);
  EXPECT_THAT(journal_.words(), ElementsAre("start", "start"));
  ASSERT_EQ(managers.size(), 2u);
  EXPECT_EQ(managers[0], managers[1]);
}

TEST_F(Appmgr, HavingStartedItOnlyAttaches) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (!accept(talk, number == 0)) return;
    if (number < 3) return talk.reset();
    talk.finish(Ending{false, 8});
  });
  const Result result = run(server);
  EXPECT_EQ(result.exit_code, 8);
  EXPECT_THAT(journal_.words(), ElementsAre("start", "attach", "attach", "attach"));
  EXPECT_THAT(result.err, AllOf(HasSubstr("connecting anew"), HasSubstr("connected again")));
}

TEST_F(Appmgr, ASilentConnectionIsMadeAnew) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (!accept(talk, number == 0)) return;
    if (number == 0) return talk.be_silent();
    talk.finish(Ending{false, 9});
  });
  const Result result = run(server, "3");
  EXPECT_EQ(result.exit_code, 9);
  EXPECT_THAT(result.err, HasSubstr("it was silent for 1 seconds"));
}

TEST_F(Appmgr, WithoutContactForTheTimeOutItIs253) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (number == 0 && accept(talk)) talk.reset();
  });
  const Result result = run(server, "1");
  EXPECT_EQ(result.exit_code, 253);
  EXPECT_THAT(result.err, HasSubstr("may still run there; see `appmgr --node "));
}

TEST_F(Appmgr, AServerThatDoesNotKnowTheSessionAnyMoreIs254) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (number == 0) {
      if (accept(talk)) talk.reset();
      return;
    }
    if (!talk.begin()) return;
    if (const auto request = next(talk)) talk.refuse(*request, Refusal::unknown_session);
    talk.hold();
  });
  const Result result = run(server);
  EXPECT_EQ(result.exit_code, 254);
  EXPECT_THAT(result.err, HasSubstr("does not know session \"s1\" any more"));
  EXPECT_THAT(journal_.words(), ElementsAre("start", "attach"));
}

TEST_F(Appmgr, ReplacedItGoes) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (accept(talk)) talk.close(remote::kCloseReplaced);
  });
  const Result result = run(server, "3600");
  EXPECT_EQ(result.exit_code, 253);
  EXPECT_THAT(result.err, HasSubstr("another appmgr took its place"));
  EXPECT_EQ(server.connections(), 1u);
}

TEST_F(Appmgr, AServerThatGoesAwayIsComeBackTo) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (!accept(talk, number == 0)) return;
    if (number == 0) return talk.close(1001);
    talk.finish(Ending{false, 3});
  });
  EXPECT_EQ(run(server).exit_code, 3);
}

TEST_F(Appmgr, AnAcknowledgementWhoseReplyIsLostIsMadeAgain) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (!talk.begin()) return;
    const auto request = next(talk);
    if (!request) return;
    if (number == 0) {
      talk.reply(*request, true);
      talk.ended(Ending{false, 2});
      talk.output_end({});
      next(talk);
      return;  // done, and not answered
    }
    talk.refuse(*request, Refusal::unknown_session);
    talk.hold();
  });
  const Result result = run(server);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(journal_.words(), ElementsAre("start", "acknowledge", "acknowledge"));
}

TEST_F(Appmgr, AnEndThatCanNotBeAcknowledgedIsToldAllTheSame) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (number > 0 || !accept(talk)) return;
    talk.ended(Ending{false, 2});
    talk.output_end({});
    next(talk);
  });
  const Result result = run(server, "1");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--acknowledge --session s1"));
}

TEST_F(Appmgr, TheEndIsHeardAfterALostConnection) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (!accept(talk, number == 0)) return;
    talk.ended(Ending{false, 2});
    if (number == 0) return talk.reset();  // the output is not over
    talk.output(Output::out, 0, "last words\n");
    talk.output_end({11, 0});
    const auto request = next(talk);
    if (request && talk.reply(*request)) talk.hold();
  });
  const Result result = run(server);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "last words\n");
  EXPECT_THAT(journal_.words(), ElementsAre("start", "attach", "acknowledge"));
}

// Nonsense.

class AppmgrNonsense : public Appmgr, public testing::WithParamInterface<std::string> {};

TEST_P(AppmgrNonsense, EndsItBeforeTheStartAndAfterIt) {
  const std::string nonsense = GetParam();
  const auto say = [&](FakeTalk& talk) {
    nonsense.starts_with("{") || nonsense == "words" ? talk.text(nonsense) : talk.binary(nonsense);
    talk.hold();
  };
  FakeAppserver first(server_, [&](FakeTalk& talk, std::size_t) {
    if (talk.tls() && talk.upgrade()) say(talk);
  });
  const Result before = run(first, "3600");
  EXPECT_EQ(before.exit_code, 250);
  EXPECT_THAT(before.err, AllOf(HasSubstr("makes no sense"), HasSubstr("nothing was started")));
  FakeAppserver second(server_, [&](FakeTalk& talk, std::size_t) {
    if (accept(talk)) say(talk);
  });
  const Result after = run(second, "3600");
  EXPECT_EQ(after.exit_code, 253);
  EXPECT_THAT(after.err, AllOf(HasSubstr("makes no sense"), HasSubstr("may still run there")));
}

INSTANTIATE_TEST_SUITE_P(Each, AppmgrNonsense,
                         testing::Values("words", "{}", R"({"event":"dance"})",
                                         R"({"ref":1,"ok":"yes"})", "\x03", std::string(10, '\3')),
                         [](const auto& which) { return std::to_string(which.index); });

// What the server says does not reach a terminal as it is.
TEST_F(Appmgr, NoControlBytesOfTheServersAreShown) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (talk.tls()) talk.decline("404 Not Found", "\x1b[31mred\n\x07");
  });
  EXPECT_THAT(run(server).err, Not(testing::ContainsRegex("[\x07\x1b]")));
}

// Output.

TEST_F(Appmgr, WhatComesTwiceIsWrittenOnce) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (!accept(talk, number == 0)) return;
    if (number == 0) {
      talk.output(Output::out, 0, "one two ");
      talk.wait_for_taken({8, 0});
      return talk.reset();
    }
    talk.output(Output::out, 4, "two three ");
    talk.output(Output::out, 14, "four\n");
    talk.finish(Ending{false, 0}, {19, 0});
  });
  const Result result = run(server);
  EXPECT_EQ(result.out, "one two three four\n");
  EXPECT_THAT(result.err, Not(HasSubstr("lost:")));
  EXPECT_THAT(result.err, Not(HasSubstr("bytes")));
}

TEST_F(Appmgr, WhatIsMissingIsCounted) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (!accept(talk)) return;
    talk.output(Output::out, 5, "five");
    talk.output(Output::err, 0, "whole\n");
    talk.output(Output::out, 10, "ten");
    talk.finish(Ending{false, 0}, {15, 6});
  });
  const Result result = run(server);
  EXPECT_EQ(result.out, "fiveten");
  EXPECT_THAT(result.err, StartsWith("whole\n"));
  EXPECT_THAT(result.err, HasSubstr("8 bytes of the command's output were lost"));
}

// Of what another manager has had nothing is missing.
TEST_F(Appmgr, AttachedLaterItBeginsWhereTheOutputDoes) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (!accept(talk, false)) return;
    talk.output(Output::out, 1000, "the rest\n");
    talk.finish(Ending{false, 0}, {1009, 70});
  });
  const Result result = ask(server, {"--attach", "s1"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "the rest\n");
  EXPECT_EQ(result.err, "");
}

// An appserver may tell the lengths before it sends what it still has.
TEST_F(Appmgr, OutputAfterItsEndWasToldIsWrittenToo) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (!accept(talk)) return;
    talk.ended(Ending{false, 0});
    talk.output_end({9, 0});
    talk.output(Output::out, 0, "at ");
    talk.output(Output::out, 3, "last.\n");
    const auto request = talk.request();
    if (request && talk.reply(*request)) talk.hold();
  });
  EXPECT_EQ(run(server).out, "at last.\n");
}

TEST_F(Appmgr, MuchOutputIsConfirmedAsItIsWritten) {
  const std::string piece(remote::kMostChunkBytes, 'x');
  constexpr std::size_t kPieces = 64;
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (!accept(talk)) return;
    for (std::size_t i = 0; i < kPieces; ++i) {
      if (!talk.output(Output::out, i * piece.size(), piece)) return;
      const std::size_t sent = (i + 1) * piece.size();
      // No more than the window beyond what is confirmed.
      if (sent >= remote::kOutputWindow &&
          !talk.wait_for_taken({sent - remote::kOutputWindow + piece.size(), 0})) {
        return;
      }
    }
    talk.wait_for_taken({kPieces * piece.size(), 0});
    talk.finish(Ending{false, 0}, {kPieces * piece.size(), 0});
  });
  const Result result = run(server);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out.size(), kPieces * piece.size());
}

TEST_F(Appmgr, AServerThatSendsBeyondTheWindowIsLeft) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (!accept(talk)) return;
    const std::string piece(remote::kMostChunkBytes, 'x');
    for (std::uint64_t at = 0; talk.output(Output::out, at, piece); at += piece.size()) {
    }
  });
  Unread unread;
  Command command = node_.command(to_run(call(server)));
  command.argv.insert(command.argv.begin(),
                      {"/bin/sh", "-c", "exec \"$@\" >" + unread.path(), "sh"});
  const Result result = tests::run(command);
  EXPECT_EQ(result.exit_code, 253);
  EXPECT_THAT(result.err, HasSubstr("it sends more output than was asked for"));
}

TEST_F(Appmgr, AClosedStandardOutputStopsNothing) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (!accept(talk)) return;
    std::uint64_t at = 0;
    for (int i = 0; i < 5; ++i) {
      talk.output(Output::out, at, "a line\n");
      at += 7;
      if (!talk.wait_for_taken({at, 0})) return;
    }
    talk.finish(Ending{false, 12}, {at, 0});
  });
  Command command = node_.command(to_run(call(server)));
  command.argv.insert(command.argv.begin(),
                      {"/bin/bash", "-c", "\"$@\" | :; exit ${PIPESTATUS[0]}", "bash"});
  const Result result = tests::run(command);
  EXPECT_EQ(result.exit_code, 12);
  EXPECT_EQ(count_of(result.err, "standard output: Broken pipe"), 1u) << result.err;
}

TEST_F(Appmgr, ADescriptorOfOthersKeepsItsFlags) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (!accept(talk)) return;
    talk.output(Output::out, 0, "x");
    talk.finish(Ending{false, 0}, {1, 0});
  });
  Command command = node_.command(to_run(call(server)));
  // The shell's standard output is the same open file.
  command.argv.insert(command.argv.begin(),
                      {"/bin/sh", "-c", "\"$@\"; grep flags /proc/self/fdinfo/1", "sh"});
  const Result result = tests::run(command);
  const auto octal = std::stoul(result.out.substr(result.out.find(':') + 1), nullptr, 8);
  EXPECT_EQ(octal & O_NONBLOCK, 0u) << result.out;
}

// Signals.

TEST_F(Appmgr, TermEndsTheCommandAndItsCodeIsTold) {
  std::optional<remote::Stop> stop;
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (!accept(talk)) return;
    talk.output(Output::out, 0, "up\n");
    const auto request = next(talk);
    if (!request) return;
    stop = std::get<remote::Stop>(request->request);
    talk.ended(Ending{true, SIGTERM});
    talk.reply(*request);
    talk.output_end({3, 0});
    const auto acknowledge = next(talk);
    if (acknowledge && talk.reply(*acknowledge)) talk.hold();
  });
  Process manager(node_.command(to_run(with(call(server), {"--kill-after", "17"}))));
  ASSERT_TRUE(wait_until([&] { return manager.out() == "up\n"; }));
  const Result result = manager.stop();
  EXPECT_EQ(result.exit_code, 143);
  EXPECT_EQ(result.err, "");
  ASSERT_TRUE(stop);
  EXPECT_EQ(stop->kill_after_s, 17);
  EXPECT_FALSE(stop->forget);
  EXPECT_THAT(journal_.words(), ElementsAre("start", "stop", "acknowledge"));
}

TEST_F(Appmgr, ASecondTermLeavesAtOnce) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (!accept(talk)) return;
    talk.output(Output::out, 0, "up\n");
    while (next(talk)) {
    }
  });
  Process manager = begin(server);
  ASSERT_TRUE(wait_until([&] { return manager.out() == "up\n"; }));
  manager.signal(SIGTERM);
  ASSERT_TRUE(wait_until([&] { return journal_.words().size() == 2; }));
  const Result result = manager.stop();
  EXPECT_EQ(result.exit_code, 253);
  EXPECT_THAT(result.err, HasSubstr("left at once: the command of session \"s1\" may still run"));
}

TEST_F(Appmgr, TermBeforeAnythingWasStartedSaysSo) {
  Port port;
  Process manager(node_.command(to_run(call(port.number()))));
  ASSERT_TRUE(wait_until([&] { return manager.err().find("refused") != std::string::npos; }));
  const Result result = manager.stop();
  EXPECT_EQ(result.exit_code, 143);
  EXPECT_THAT(result.err, HasSubstr("nothing was started"));
}

// Whether it was heard is not known: it is looked for, and not started for being ended.
TEST_F(Appmgr, TermWhileTheStartIsNotAnsweredStartsNothingAnew) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (!talk.begin()) return;
    const auto request = next(talk);
    if (number == 0) return talk.be_silent();
    if (request) talk.refuse(*request, Refusal::unknown_session);
    talk.hold();
  });
  Process manager = begin(server, "3");
  ASSERT_TRUE(wait_until([&] { return journal_.words().size() == 1; }));
  const Result result = manager.stop();
  EXPECT_EQ(result.exit_code, 143) << result.err;
  EXPECT_THAT(journal_.words(), ElementsAre("start", "attach"));
}

TEST_F(Appmgr, TermWhileTheConnectionIsLostEndsTheCommandOnceItIsBack) {
  std::atomic<bool> back{false};
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (number > 0 && !back) return;
    if (!accept(talk, number == 0)) return;
    if (number == 0) return talk.reset();
    const auto stop = next(talk);
    if (!stop) return;
    talk.reply(*stop);
    talk.finish(Ending{false, 0});
  });
  Process manager = begin(server);
  ASSERT_TRUE(wait_until([&] { return server.connections() > 1; }));
  manager.signal(SIGTERM);
  back = true;
  const Result result = manager.wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(journal_.words(), ElementsAre("start", "attach", "stop"));
}

TEST_F(Appmgr, TermEndsItThoughNobodyReadsItsOutput) {
  const std::string piece(remote::kMostChunkBytes, 'x');
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (!accept(talk)) return;
    for (std::size_t i = 0; i < 8; ++i) talk.output(Output::out, i * piece.size(), piece);
    const auto stop = next(talk);
    if (!stop) return;
    talk.reply(*stop);
    talk.finish(Ending{true, SIGTERM}, {8 * piece.size(), 0});
  });
  Unread unread;
  Command command = node_.command(to_run(call(server, "1")));
  command.argv.insert(command.argv.begin(),
                      {"/bin/sh", "-c", "exec \"$@\" >" + unread.path(), "sh"});
  Process manager(command);
  ASSERT_TRUE(wait_until([&] { return unread.is_full(); }));
  const Result result = manager.stop();
  EXPECT_EQ(result.exit_code, 143);
  EXPECT_THAT(result.err, HasSubstr("bytes of the command's output could not be written"));
}

TEST_F(Appmgr, HupOpensTheLogAnew) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (!accept(talk)) return;
    const auto stop = talk.request();
    if (stop && talk.reply(*stop)) talk.finish(Ending{false, 0});
  });
  TempDir folder;
  const std::string log = folder / "log";
  Process manager(node_.command(to_run(with(call(server), {"-host_log_file", log}))));
  ASSERT_TRUE(wait_until([&] { return read_file(log).find("started") != std::string::npos; }));
  std::filesystem::rename(log, log + ".1");
  manager.signal(SIGHUP);
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(log); }));
  EXPECT_EQ(manager.stop().exit_code, 0);
  EXPECT_THAT(read_file(log), HasSubstr("ended with exit code 0"));
}

// A pause of its own is none of the server's silence.
TEST_F(Appmgr, StoppedForLongerThanTheTimeOutItGoesOn) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (!accept(talk, number == 0)) return;
    const auto stop = next(talk);
    if (stop && talk.reply(*stop)) talk.finish(Ending{false, 21});
  });
  Process manager = begin(server, "1");
  ASSERT_TRUE(wait_until([&] { return journal_.words().size() == 1; }));
  manager.signal(SIGSTOP);
  ::usleep(2'500'000);
  manager.signal(SIGCONT);
  const Result result = manager.stop();
  EXPECT_EQ(result.exit_code, 21) << result.err;
}

// One request.

TEST_F(Appmgr, StatusTellsRunningEndedAndUnknown) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (!talk.begin()) return;
    const auto request = next(talk);
    if (!request) return;
    remote::Reply reply;
    reply.ref = request->ref;
    reply.session = fake_view(common::Id("s1"));
    if (number >= 2) {
      reply.session->state = remote::SessionState::ended;
      reply.session->end = Ending{true, 9};
    }
    if (number >= 4) {
      talk.refuse(*request, Refusal::unknown_session);
    } else {
      talk.answer(reply);
    }
    talk.hold();
  });
  const std::vector<std::string> status{"--status", "--session", "s1"};
  const std::vector<std::string> json{"--status", "--json", "--session", "s1"};
  const Result running = ask(server, status);
  EXPECT_EQ(running.exit_code, 0);
  EXPECT_THAT(running.out, AllOf(HasSubstr("state: running\n"), HasSubstr("pid: 4711\n"),
                                 HasSubstr("command: /bin/app \"an argument\"\n"),
                                 HasSubstr("started: 2025-11-24T16:00:00.000Z by host1\n")));
  EXPECT_THAT(ask(server, json).out, StartsWith(R"({"session":"s1","state":"running","pid":4711)"));
  const Result ended = ask(server, status);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.out, HasSubstr("state: ended: signal 9\n"));
  EXPECT_THAT(ask(server, json).out, HasSubstr(R"("end":{"signal":9},"exit_code":137)"));
  const Result unknown = ask(server, status);
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("unknown-session"));
  const Result unknown_json = ask(server, json);
  EXPECT_EQ(unknown_json.exit_code, 1);
  EXPECT_EQ(unknown_json.out, "{\"session\":\"s1\",\"state\":\"unknown\"}\n");
}

// They answer at once: who asks every few seconds wants to know now.
TEST_F(Appmgr, WhatOnlyAsksDoesNotWaitForAServerThatIsNotThere) {
  Port port;
  for (const std::vector<std::string>& verb : std::initializer_list<std::vector<std::string>>{
           {"--status", "--session", "s1"}, {"--list"}, {"--signal", "HUP", "--session", "s1"}}) {
    const Result result = node_.run(with(call(port.number(), "3600"), verb));
    EXPECT_EQ(result.exit_code, 250) << verb[0];
    EXPECT_THAT(result.err, HasSubstr("Connection refused"));
  }
}

TEST_F(Appmgr, AServerThatNeverAnswersARequestIsGivenUp) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (talk.begin()) talk.hold();
  });
  const auto ask_it = [&](const std::vector<std::string>& verb) {
    return node_.run(with(call(server, "1"), verb)).exit_code;
  };
  EXPECT_EQ(ask_it({"--status", "--session", "s1"}), 250);
  EXPECT_EQ(ask_it({"--signal", "HUP", "--session", "s1"}), 253);
  EXPECT_EQ(ask_it({"--stop", "--kill-after", "0", "--session", "s1"}), 253);
}

TEST_F(Appmgr, ListIsATableOrJson) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (!talk.begin()) return;
    const auto request = next(talk);
    if (!request) return;
    remote::Reply reply;
    reply.ref = request->ref;
    if (number < 2) reply.sessions = {fake_view(common::Id("s1")), fake_view(common::Id("s2"))};
    talk.answer(reply);
    talk.hold();
  });
  EXPECT_THAT(ask(server, {"--list"}).out,
              AllOf(StartsWith("SESSION  STATE "), HasSubstr("\ns2       running  4711  www ")));
  EXPECT_THAT(ask(server, {"--list", "--json"}).out, StartsWith(R"([{"session":"s1")"));
  EXPECT_EQ(ask(server, {"--list", "--json"}).out, "[]\n");
}

TEST_F(Appmgr, DetachStartsAndEnds) {
  std::vector<remote::Start> starts;
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t number) {
    if (!talk.begin()) return;
    const auto request = next(talk);
    if (!request) return;
    starts.push_back(std::get<remote::Start>(request->request));
    if (number == 0) return;  // its reply is lost
    remote::Reply reply;
    reply.ref = request->ref;
    reply.session = fake_view(common::Id("s1"));
    if (number == 2) {
      reply.session->state = remote::SessionState::ended;
      reply.session->end = Ending{false, 4};
    }
    talk.answer(reply);
    talk.hold();
  });
  const std::vector<std::string> detach{"--detach", "--session", "s1", "--", "/bin/app"};
  EXPECT_EQ(ask(server, detach).exit_code, 0);
  ASSERT_EQ(starts.size(), 2u);
  EXPECT_FALSE(starts[0].attach);
  EXPECT_EQ(starts[0].manager, starts[1].manager);
  const Result ended = ask(server, detach);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("ended with exit code 4"), HasSubstr("--acknowledge")));
}

TEST_F(Appmgr, StopSignalAndAcknowledgeHaveTheirCodes) {
  std::atomic<int> refusal{-1};
  std::optional<remote::Request> heard;
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (!talk.begin()) return;
    const auto request = next(talk);
    if (!request) return;
    heard = request->request;
    if (refusal >= 0) {
      talk.refuse(*request, static_cast<Refusal>(refusal.load()));
    } else {
      remote::Reply reply;
      reply.ref = request->ref;
      reply.session = fake_view(common::Id("s1"));
      reply.session->state = remote::SessionState::ended;
      reply.session->end = Ending{false, 0};
      talk.answer(reply);
    }
    talk.hold();
  });
  const std::vector<std::string> stop{"--stop", "--forget", "--session", "s1"};
  const std::vector<std::string> signal{"--signal", "HUP", "--session", "s1"};
  const std::vector<std::string> acknowledge{"--acknowledge", "--session", "s1"};
  EXPECT_EQ(ask(server, stop).exit_code, 0);
  EXPECT_TRUE(std::get<remote::Stop>(*heard).forget);
  EXPECT_EQ(ask(server, signal).exit_code, 0);
  EXPECT_EQ(std::get<remote::Signal>(*heard).signal, "HUP");
  EXPECT_EQ(ask(server, acknowledge).exit_code, 0);
  refusal = static_cast<int>(Refusal::unknown_session);
  EXPECT_EQ(ask(server, stop).exit_code, 0);  // there is none
  EXPECT_EQ(ask(server, signal).exit_code, 254);
  EXPECT_EQ(ask(server, acknowledge).exit_code, 254);
  refusal = static_cast<int>(Refusal::denied);
  EXPECT_EQ(ask(server, stop).exit_code, 251);
  EXPECT_EQ(ask(server, signal).exit_code, 251);
  refusal = static_cast<int>(Refusal::not_running);
  EXPECT_EQ(ask(server, signal).exit_code, 1);
  refusal = static_cast<int>(Refusal::not_ended);
  EXPECT_EQ(ask(server, acknowledge).exit_code, 1);
}

TEST_F(Appmgr, ASignalIsNotSentTwice) {
  FakeAppserver server(server_, [&](FakeTalk& talk, std::size_t) {
    if (talk.begin()) next(talk);
  });
  const Result result = ask(server, {"--signal", "HUP", "--session", "s1"});
  EXPECT_EQ(result.exit_code, 253);
  EXPECT_THAT(result.err, HasSubstr("whether the signal was heard is not known"));
  EXPECT_THAT(journal_.words(), ElementsAre("signal"));
}

// The file, and the original's spelling.

TEST_F(Appmgr, ANodeOfTheFileIsReachedByItsName) {
  FakeAppserver server(authority_.issue(server_wish("DNS:guest1")),
                       [&](FakeTalk& talk, std::size_t) {
                         if (accept(talk)) talk.finish(Ending{false, 5});
                       });
  write_file(node_.config_dir() + "/appmgr.toml",
             "certificate = \"" + client_.certificate + "\"\nkey = \"" + client_.key +
                 "\"\nauthorities = \"" + client_.authorities +
                 "\"\n[node.guest1]\naddress = \"127.0.0.1\"\nport = " +
                 std::to_string(server.port()) + "\n");
  const std::vector<std::string> call{"appmgr", "-node",      "guest1",  "-cmappserver_timeout",
                                      "20",     "-log_level", "3",       "--session",
                                      "s1",     "--",         "/bin/app"};
  const Result result = node_.run(call);
  EXPECT_EQ(result.exit_code, 5) << result.err;
  EXPECT_THAT(result.err, HasSubstr(": started"));  // of level debug
  write_file(node_.config_dir() + "/appmgr.toml", "colour = \"blue\"\n");
  const Result wrong = node_.run(call);
  EXPECT_EQ(wrong.exit_code, 250);
  EXPECT_THAT(wrong.err, HasSubstr("appmgr.toml:1: unknown key \"colour\""));
}

// Each --word that begins one.
std::set<std::string> words_with_dashes(const std::string& text) {
  std::set<std::string> words;
  std::istringstream in(text);
  for (std::string word; in >> word;) {
    while (word.starts_with("[") || word.starts_with("|")) word.erase(0, 1);
    word = word.substr(0, word.find_first_of(",|]:;."));
    if (word.starts_with("--") && word.size() > 2) words.insert(word);
  }
  return words;
}

TEST_F(Appmgr, HelpHasTheOptionsThatTheManPageDescribesAndNoOther) {
  const Result help = node_.run({"appmgr", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_EQ(node_.run({"appmgr", "-help"}).out, help.out);
  EXPECT_EQ(node_.run({"appmgr", "-version"}).out, "appmgr (genapp) " GENAPP_VERSION "\n");
  std::set<std::string> described;
  std::istringstream page(read_file(GENAPP_SOURCE_DIR "/docs/man/appmgr.8"));
  for (std::string line; std::getline(page, line);) {
    const std::string item = ".It Fl -";
    if (!line.starts_with(item)) continue;
    line.erase(0, item.size());
    described.insert("--" + line.substr(0, line.find(' ')));
  }
  EXPECT_THAT(described, testing::IsSupersetOf({"--node", "--session", "--help"}));
  EXPECT_EQ(words_with_dashes(help.out), described);
  for (const char* original : {"-node", "-cmappserver_timeout", "-log_level", "-host_log_file"}) {
    EXPECT_THAT(help.out, HasSubstr(original));
  }
}

TEST_F(Appmgr, WithoutASessionItRefusesAndSaysWhy) {
  const Result result = node_.run({"appmgr", "-node", "guest1", "--", "/bin/app"});
  EXPECT_EQ(result.exit_code, 64);
  EXPECT_THAT(result.err, HasSubstr("--session ID is missing: by it the command is found again"));
}

}  // namespace
}  // namespace genapp::tests
