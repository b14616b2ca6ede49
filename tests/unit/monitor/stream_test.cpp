#include "monitor/stream.hpp"

#include <errno.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <memory>

#include "common/error.hpp"
#include "monitor/resolver.hpp"
#include "tests/support/hostile_server.hpp"
#include "tests/support/tls.hpp"
#include "tests/support/wait.hpp"

namespace genapp::monitor {
namespace {

namespace talk = tests::talk;
using common::Clock;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using tests::HostileServer;
using namespace std::chrono_literals;

constexpr auto kLong = 60s;     // only bounds a failing test
constexpr auto kShort = 200ms;  // of those that wait for the deadline

// A stream and its event loop. Each call runs the loop until the stream has told its result.
class Peer {
 public:
  explicit Peer(Clock::duration wait = kLong)
      : start(Clock::now()),
        resolver(io),
        stream(std::make_unique<Stream>(io, resolver, start + wait)) {}

  std::optional<Fault> connect(const Server& server) {
    return finish([&](auto done) { stream->connect(server, done); });
  }
  std::optional<Fault> start_tls(const TlsContext& context, const Server& server) {
    return finish([&](auto done) { stream->start_tls(context, server, done); });
  }
  std::optional<Fault> write(const std::string& bytes) {
    return finish([&](auto done) { stream->write(bytes, done); });
  }
  // What is read is appended to `in`.
  std::optional<Fault> read(const std::string& what = "an answer") {
    return finish([&](auto done) {
      stream->read(what, [this, done](const auto& fault, std::string_view bytes) {
        in += bytes;
        ended = !fault && bytes.empty();
        done(fault);
      });
    });
  }

  Clock::time_point start;
  boost::asio::io_context io;
  Resolver resolver;
  std::unique_ptr<Stream> stream;
  std::string in;
  bool ended = false;

 private:
  template <typename Begin>
  std::optional<Fault> finish(Begin begin) {
    int told = 0;
    std::optional<Fault> result;
    begin([&](const std::optional<Fault>& fault) {
      ++told;
      result = fault;
      io.stop();
    });
    EXPECT_EQ(told, 0) << "told from within the call";
    io.restart();
    io.run_for(2 * kLong);
    EXPECT_EQ(told, 1);
    return result;
  }
};

Server at(std::uint16_t port, const std::string& host = "127.0.0.1") { return {host, port}; }

std::string place(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

void expect_late(const std::optional<Fault>& fault, Event event, const Peer& peer) {
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->event, event) << fault->reason;
  EXPECT_EQ(fault->code, ETIMEDOUT);
  EXPECT_TRUE(fault->timed_out);
  EXPECT_GE(Clock::now() - peer.start, kShort);
  EXPECT_LT(Clock::now() - peer.start, 20s);
}

TEST(Stream, TalksToAServer) {
  HostileServer server(talk::scripted({{"hello\n", "name\n"}, {"welcome\n", ""}}));
  Peer peer;
  ASSERT_FALSE(peer.connect(at(server.port())));
  EXPECT_EQ(peer.stream->address(), place(server.port()));
  ASSERT_FALSE(peer.read());
  EXPECT_EQ(peer.in, "hello\n");
  ASSERT_FALSE(peer.write("name\n"));
  while (!peer.ended) ASSERT_FALSE(peer.read());
  EXPECT_EQ(peer.in, "hello\nwelcome\n");
  EXPECT_FALSE(peer.stream->certificate_days());
}

TEST(Stream, TalksOverIpv6) {
  HostileServer server(talk::scripted({{"hello\n", ""}}), "::1");
  Peer peer;
  ASSERT_FALSE(peer.connect(at(server.port(), "[::1]")));
  EXPECT_EQ(peer.stream->address(), "[::1]:" + std::to_string(server.port()));
  ASSERT_FALSE(peer.read());
  EXPECT_EQ(peer.in, "hello\n");
}

TEST(Stream, ARefusedConnectionNamesTheErrno) {
  const tests::Port port;
  Peer peer;
  const auto fault = peer.connect(at(port.number()));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->event, Event::connect_error);
  EXPECT_EQ(fault->code, ECONNREFUSED);
  EXPECT_FALSE(fault->timed_out);
  EXPECT_EQ(fault->reason,
            "connecting to " + place(port.number()) + ": ECONNREFUSED (Connection refused)");
}

TEST(Stream, SeveralAddressesAreTriedInTurn) {
  HostileServer server(talk::silent());  // on 127.0.0.1, the second
  Peer peer;
  ASSERT_FALSE(peer.connect(at(server.port(), "localhost")));
  EXPECT_EQ(peer.stream->address(), place(server.port()));
}

TEST(Stream, AFailureNamesEachAddress) {
  const tests::Port port;
  Peer peer;
  const auto fault = peer.connect(at(port.number(), "localhost"));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->event, Event::connect_error);
  EXPECT_THAT(fault->reason,
              AllOf(StartsWith("connecting to [::1]:" + port.text() + ": E"),
                    HasSubstr("; connecting to " + place(port.number()) + ": ECONNREFUSED")));
}

TEST(Stream, ABlackHoleEndsAtTheDeadline) {
  const tests::BlackHole hole;
  Peer peer(kShort);
  const auto fault = peer.connect(at(hole.port()));
  expect_late(fault, Event::connect_error, peer);
  EXPECT_EQ(fault->reason,
            "connecting to " + place(hole.port()) + ": ETIMEDOUT (Connection timed out)");
}

TEST(Stream, ABlackHoleLeavesTimeForTheNextAddress) {
  // Both on one port: ::1 swallows, 127.0.0.1 refuses.
  const tests::BlackHole hole("::1");
  Peer peer(kShort);
  const auto fault = peer.connect(at(hole.port(), "localhost"));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->code, ECONNREFUSED) << "the last one's";
  EXPECT_THAT(fault->reason,
              AllOf(HasSubstr("[::1]:"), HasSubstr("ETIMEDOUT"), HasSubstr("ECONNREFUSED")));
  EXPECT_GE(Clock::now() - peer.start, kShort / 2);
}

TEST(Stream, AnUnknownNameHasNoAddress) {
  Peer peer;
  const auto fault = peer.connect(at(80, "no-such-host.invalid"));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->event, Event::no_address);
  EXPECT_FALSE(fault->timed_out);
  EXPECT_THAT(fault->reason, StartsWith("looking up \"no-such-host.invalid\": "));
}

TEST(Stream, ADeadlineThatIsOverIsToldByTheLookUp) {
  Peer peer(0ms);
  const auto fault = peer.connect(at(80, "no-such-host.invalid"));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->event, Event::no_address);
  EXPECT_EQ(fault->code, ETIMEDOUT);
  EXPECT_TRUE(fault->timed_out);
}

TEST(Stream, ASilentServerEndsAtTheDeadline) {
  HostileServer server(talk::silent());
  Peer peer(kShort);
  ASSERT_FALSE(peer.connect(at(server.port())));
  ASSERT_FALSE(peer.write("hello\n"));
  const auto fault = peer.read("the greeting");
  expect_late(fault, Event::select_error, peer);
  EXPECT_EQ(fault->reason,
            "waiting for the greeting from " + place(server.port()) + ": no end in time");
}

TEST(Stream, DripsDoNotMoveTheDeadline) {
  HostileServer server(talk::drip(std::string(10000, 'x'), 10ms));
  Peer peer(kShort);
  ASSERT_FALSE(peer.connect(at(server.port())));
  std::optional<Fault> fault;
  while (!fault) fault = peer.read();
  expect_late(fault, Event::select_error, peer);
  EXPECT_FALSE(peer.in.empty());
}

TEST(Stream, ADeadlineBetweenOperationsIsToldWithTheNext) {
  HostileServer server(talk::drip("x", 1ms));
  Peer peer(kShort);
  ASSERT_FALSE(peer.connect(at(server.port())));
  peer.io.restart();
  peer.io.run_for(2 * kShort);  // nothing is under way
  const auto fault = peer.write("hello\n");
  expect_late(fault, Event::send_error, peer);
}

TEST(Stream, APeerThatTakesNothingEndsAtTheDeadline) {
  HostileServer server([](tests::Conversation& client) { client.pause(kLong); });
  Peer peer(kShort);
  ASSERT_FALSE(peer.connect(at(server.port())));
  const auto fault = peer.write(std::string(64 << 20, 'x'));
  expect_late(fault, Event::send_error, peer);
}

TEST(Stream, MuchIsSentInPieces) {
  HostileServer server(talk::scripted({{"", "end"}, {"got it", ""}}));
  Peer peer;
  ASSERT_FALSE(peer.connect(at(server.port())));
  ASSERT_FALSE(peer.write(std::string(16 << 20, 'x') + "end"));
  ASSERT_FALSE(peer.read());
  EXPECT_EQ(peer.in, "got it");
  EXPECT_EQ(server.received().size(), (16u << 20) + 3);
}

TEST(Stream, AResetIsARecvError) {
  HostileServer server(talk::resetting());
  Peer peer;
  ASSERT_FALSE(peer.connect(at(server.port())));
  ASSERT_FALSE(peer.write("hello\n"));
  const auto fault = peer.read("the greeting");
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->event, Event::recv_error);
  EXPECT_EQ(fault->code, ECONNRESET);
  EXPECT_FALSE(fault->timed_out);
  EXPECT_EQ(fault->reason, "reading the greeting from " + place(server.port()) +
                               ": ECONNRESET (Connection reset by peer)");
}

TEST(Stream, AnEndIsNoFault) {
  HostileServer server(talk::closing());
  Peer peer;
  ASSERT_FALSE(peer.connect(at(server.port())));
  ASSERT_FALSE(peer.read());
  EXPECT_TRUE(peer.ended);
}

TEST(Stream, AtMostEightKibibytesComeAtOnce) {
  HostileServer server(talk::endless("", "x"));
  Peer peer;
  ASSERT_FALSE(peer.connect(at(server.port())));
  for (int i = 0; i < 20; ++i) {
    peer.in.clear();
    ASSERT_FALSE(peer.read());
    EXPECT_LE(peer.in.size(), 8192u);
  }
}

TEST(Stream, LastWordsAreSent) {
  HostileServer server(talk::scripted({{"", "QUIT\r\n"}}));
  Peer peer;
  ASSERT_FALSE(peer.connect(at(server.port())));
  peer.stream->close("QUIT\r\n");
  EXPECT_TRUE(tests::wait_until([&] { return server.received() == "QUIT\r\n"; }));
  EXPECT_EQ(server.resets(), 0u);
}

TEST(Stream, WhatWasReadIsNotAnsweredWithAReset) {
  // Twice as much as comes at once, of which only the first is read.
  HostileServer server([](tests::Conversation& client) {
    client.send(std::string(16384, 'x'));
    client.hold();
  });
  Peer peer;
  ASSERT_FALSE(peer.connect(at(server.port())));
  ASSERT_TRUE(tests::wait_until([&] { return server.bytes_sent() == 16384; }));
  ASSERT_FALSE(peer.read());
  EXPECT_EQ(peer.in.size(), 8192u);
  peer.stream->close();
  EXPECT_TRUE(tests::wait_until([&] { return server.conversations() == 0; }));
  EXPECT_EQ(server.resets(), 0u);
}

// Begins something, closes, and runs the loop: nothing may be told, and nothing keep the loop
// alive.
void expect_silence_after(Peer& peer, const std::function<void(Stream&, Stream::Done)>& begin,
                          bool destroy) {
  begin(*peer.stream, [](const auto&) { ADD_FAILURE() << "told after the end"; });
  destroy ? peer.stream.reset() : peer.stream->close();
  peer.io.restart();
  peer.io.run_for(kLong);
  EXPECT_TRUE(peer.io.stopped());
}

TEST(Stream, NothingIsToldAfterTheEnd) {
  HostileServer server(talk::silent());
  const tests::BlackHole hole;
  for (const bool destroy : {false, true}) {
    for (const Server& where : {at(server.port()), at(hole.port()), at(80, "nobody.invalid")}) {
      Peer peer;
      expect_silence_after(
          peer, [&](Stream& stream, auto done) { stream.connect(where, done); }, destroy);
    }
    Peer writer;
    ASSERT_FALSE(writer.connect(at(server.port())));
    expect_silence_after(
        writer, [](Stream& stream, auto done) { stream.write("x", done); }, destroy);
    Peer reader;
    ASSERT_FALSE(reader.connect(at(server.port())));
    expect_silence_after(
        reader,
        [](Stream& stream, auto done) {
          stream.read("x", [done](const auto& fault, std::string_view) { done(fault); });
        },
        destroy);
  }
}

TEST(Stream, WhoIsToldMayDropTheStream) {
  HostileServer server(talk::silent());
  const tests::Port nobody;
  for (const std::uint16_t port : {server.port(), nobody.number()}) {
    boost::asio::io_context io;
    Resolver resolver(io);
    auto stream = std::make_unique<Stream>(io, resolver, Clock::now() + kLong);
    int told = 0;
    stream->connect(at(port), [&](const auto&) {
      stream.reset();
      ++told;
    });
    io.run_for(kLong);
    EXPECT_EQ(told, 1);
    EXPECT_TRUE(io.stopped());
  }
}

std::size_t count_in(const std::string& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

TEST(Stream, NoDescriptorStaysOpen) {
  // Look-ups that an earlier test has left.
  tests::wait_until([] { return count_in("/proc/self/task") == 1; });
  const std::size_t before = count_in("/proc/self/fd");
  {
    const tests::BlackHole hole;
    const tests::Port nobody;
    Peer refused;
    refused.connect(at(nobody.number(), "localhost"));
    Peer late(kShort);
    late.connect(at(hole.port(), "localhost"));
  }
  EXPECT_EQ(count_in("/proc/self/fd"), before);
}

// TLS.

class StreamTls : public testing::Test {
 protected:
  static tests::Authority& authority() {
    static tests::Authority one;
    return one;
  }
  static TlsSettings trusting() { return {.ca_file = authority().file()}; }

  // Shakes hands with a server that shows `certificate`.
  static std::optional<Fault> handshake(const tests::Certificate& certificate,
                                        const TlsSettings& settings,
                                        std::optional<int>* days = nullptr,
                                        const std::string& host = "127.0.0.1") {
    const tests::TlsServer server(certificate);
    const TlsContext context(settings);
    Peer peer;
    EXPECT_FALSE(peer.connect(at(server.port(), host)));
    auto fault = peer.start_tls(context, at(server.port(), host));
    if (days) *days = peer.stream->certificate_days();
    return fault;
  }

  static void expect_refused(const std::optional<Fault>& fault, const std::string& why,
                             const std::string& name) {
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->event, Event::tls_error);
    EXPECT_FALSE(fault->timed_out);
    EXPECT_THAT(fault->reason, AllOf(StartsWith("TLS handshake with 127.0.0.1:"), HasSubstr(why),
                                     HasSubstr("expected name \"" + name + "\"")));
  }
};

TEST_F(StreamTls, TalksToAServer) {
  const tests::TlsServer server(authority().issue("IP:127.0.0.1"));
  const TlsContext context(trusting());
  Peer peer;
  ASSERT_FALSE(peer.connect(at(server.port())));
  const auto fault = peer.start_tls(context, at(server.port()));
  ASSERT_FALSE(fault) << fault->reason;
  EXPECT_EQ(peer.stream->address(), place(server.port()));
  ASSERT_FALSE(peer.write("hello\n"));
  while (peer.in.size() < 6) ASSERT_FALSE(peer.read());
  EXPECT_EQ(peer.in, "olleh\n");
  ASSERT_FALSE(peer.write("again\n"));
  while (peer.in.size() < 12) ASSERT_FALSE(peer.read());
  EXPECT_EQ(peer.in, "olleh\nniaga\n");
}

TEST_F(StreamTls, NoNameIsNotAnyName) {
  TlsSettings nameless = trusting();
  nameless.name = ".";
  expect_refused(handshake(authority().issue("IP:127.0.0.1"), nameless), "no name", "");
}

TEST_F(StreamTls, ARightCertificateIsTaken) {
  std::optional<int> days;
  EXPECT_FALSE(handshake(authority().issue("IP:127.0.0.1"), trusting(), &days));
  EXPECT_TRUE(days == 99 || days == 100) << "of 100; " << days.value_or(0);
  TlsSettings named = trusting();
  named.name = "example.org";
  EXPECT_FALSE(handshake(authority().issue("DNS:example.org"), named));
  named.name = "a.example.org";
  EXPECT_FALSE(handshake(authority().issue("DNS:*.example.org"), named));
  EXPECT_FALSE(handshake(authority().issue("DNS:localhost"), trusting(), nullptr, "localhost"));
  EXPECT_FALSE(handshake(authority().issue("DNS:localhost"), trusting(), nullptr, "localhost."));
}

TEST_F(StreamTls, AnotherNamesIsRefused) {
  std::optional<int> days;
  expect_refused(handshake(authority().issue("DNS:example.org"), trusting(), &days), "mismatch",
                 "127.0.0.1");
  EXPECT_TRUE(days == 99 || days == 100) << days.value_or(0);
  TlsSettings named = trusting();
  named.name = "example.org";
  expect_refused(handshake(authority().issue("DNS:example.com"), named), "hostname mismatch",
                 "example.org");
  expect_refused(handshake(authority().issue("IP:127.0.0.1"), named), "hostname mismatch",
                 "example.org");
}

TEST_F(StreamTls, AnExpiredOneIsRefused) {
  std::optional<int> days;
  expect_refused(handshake(authority().issue("IP:127.0.0.1", -1), trusting(), &days),
                 "certificate has expired", "127.0.0.1");
  ASSERT_TRUE(days);
  EXPECT_TRUE(*days == -1 || *days == -2) << *days;
}

TEST_F(StreamTls, AnUnknownAuthoritysIsRefused) {
  tests::Authority stranger;
  expect_refused(handshake(stranger.issue("IP:127.0.0.1"), trusting()),
                 "unable to get local issuer certificate", "127.0.0.1");
  expect_refused(handshake(authority().issue("IP:127.0.0.1"), TlsSettings{}),
                 "unable to get local issuer certificate", "127.0.0.1");
}

TEST_F(StreamTls, ASelfSignedOneIsRefusedUnlessItIsTrusted) {
  const tests::Certificate certificate = authority().self_signed("IP:127.0.0.1");
  expect_refused(handshake(certificate, trusting()), "self-signed certificate", "127.0.0.1");
  EXPECT_FALSE(handshake(certificate, {.ca_file = certificate.file}));
}

TEST_F(StreamTls, WithoutVerificationAnyIsTaken) {
  tests::Authority stranger;
  std::optional<int> days;
  EXPECT_FALSE(handshake(stranger.issue("DNS:example.org", -1), {.verify = false}, &days));
  EXPECT_LT(days, 0);
}

TEST_F(StreamTls, NamesAreSentAndAddressesAreNot) {
  const tests::Certificate certificate = authority().issue("DNS:localhost,IP:127.0.0.1");
  const tests::Certificate other = authority().issue("DNS:other");
  // The server shows the other certificate to those who name localhost.
  const tests::TlsServer server(
      certificate, {"-servername", "localhost", "-cert2", other.file, "-key2", other.key, "-rev"});
  const TlsContext context(trusting());
  Peer named;
  ASSERT_FALSE(named.connect(at(server.port(), "localhost")));
  EXPECT_TRUE(named.start_tls(context, at(server.port(), "localhost")));
  Peer numbered;
  ASSERT_FALSE(numbered.connect(at(server.port())));
  EXPECT_FALSE(numbered.start_tls(context, at(server.port())));
}

TEST_F(StreamTls, OldVersionsAreRefused) {
  const tests::TlsServer server(authority().issue("IP:127.0.0.1"),
                                {"-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0", "-rev"});
  const TlsContext context(trusting());
  Peer peer;
  ASSERT_FALSE(peer.connect(at(server.port())));
  const auto fault = peer.start_tls(context, at(server.port()));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->event, Event::tls_error);
  EXPECT_THAT(fault->reason, HasSubstr("protocol version"));
}

TEST_F(StreamTls, WhatIsNoTlsIsAFault) {
  const TlsContext context(trusting());
  for (const auto& how : {talk::garbage(), talk::closing(), talk::resetting(),
                          talk::scripted({{"HTTP/1.1 400 Bad Request\r\n\r\n", ""}})}) {
    HostileServer server(how);
    Peer peer;
    ASSERT_FALSE(peer.connect(at(server.port())));
    const auto fault = peer.start_tls(context, at(server.port()));
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->event, Event::tls_error);
    EXPECT_FALSE(fault->timed_out);
    EXPECT_THAT(fault->reason, StartsWith("TLS handshake with " + place(server.port()) + ": "));
  }
}

TEST_F(StreamTls, ASilentHandshakeEndsAtTheDeadline) {
  HostileServer server(talk::silent());
  const TlsContext context(trusting());
  Peer peer(kShort);
  ASSERT_FALSE(peer.connect(at(server.port())));
  const auto fault = peer.start_tls(context, at(server.port()));
  expect_late(fault, Event::tls_error, peer);
  EXPECT_EQ(fault->reason, "TLS handshake with " + place(server.port()) + ": no end in time");
}

TEST_F(StreamTls, ASilentServerEndsAtTheDeadline) {
  const tests::TlsServer server(authority().issue("IP:127.0.0.1"));
  const TlsContext context(trusting());
  Peer peer(kLong);
  ASSERT_FALSE(peer.connect(at(server.port())));
  Peer late(1s);
  late.start = Clock::now();
  peer.stream->close();
  ASSERT_FALSE(late.connect(at(server.port())));
  const auto handshake = late.start_tls(context, at(server.port()));
  if (handshake) GTEST_SKIP() << "this machine is too slow: " << handshake->reason;
  const auto fault = late.read("the greeting");
  expect_late(fault, Event::select_error, late);
}

TEST_F(StreamTls, ClosingSaysGoodbye) {
  const tests::TlsServer server(authority().issue("IP:127.0.0.1"), {"-rev", "-msg"});
  const TlsContext context(trusting());
  Peer peer;
  ASSERT_FALSE(peer.connect(at(server.port())));
  ASSERT_FALSE(peer.start_tls(context, at(server.port())));
  ASSERT_FALSE(peer.write("hello\n"));
  while (peer.in.size() < 6) ASSERT_FALSE(peer.read());
  peer.stream->close();
  // Without one the server would only complain of the end.
  const std::string goodbye = "<<< TLS 1.3, Alert [length 0002], warning close_notify";
  EXPECT_TRUE(
      tests::wait_until([&] { return server.output().find(goodbye) != std::string::npos; }));
}

TEST_F(StreamTls, NothingIsToldAfterTheEnd) {
  HostileServer server(talk::silent());
  const TlsContext context(trusting());
  for (const bool destroy : {false, true}) {
    Peer peer;
    ASSERT_FALSE(peer.connect(at(server.port())));
    expect_silence_after(
        peer,
        [&](Stream& stream, auto done) { stream.start_tls(context, at(server.port()), done); },
        destroy);
  }
}

std::string error_of(const TlsSettings& settings) {
  try {
    TlsContext context(settings);
  } catch (const common::Error& error) {
    return error.what();
  }
  return "";
}

TEST_F(StreamTls, AFileOfAuthoritiesMustHoldSome) {
  const tests::TempDir dir;
  const std::string file = dir / "ca.pem";
  EXPECT_EQ(error_of({.ca_file = file}), file + ": No such file or directory");
  tests::write_file(file, "nothing\n");
  EXPECT_THAT(error_of({.ca_file = file}), StartsWith(file + ": holds no certificate"));
  tests::write_file(file, "");
  EXPECT_THAT(error_of({.ca_file = file}), StartsWith(file + ": holds no certificate"));
}

}  // namespace
}  // namespace genapp::monitor
