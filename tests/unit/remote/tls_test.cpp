#include "remote/tls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>

#include "common/error.hpp"
#include "remote/certificate.hpp"
#include "tests/support/process.hpp"
#include "tests/unit/remote/certificates.hpp"

namespace genapp::remote {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using tests::CertificateWish;
using tests::RemoteAuthority;
using tests::replace_file;
using tests::server_wish;

using Socket = asio::local::stream_protocol::socket;

// What became of a handshake and of five bytes from the server, which the client has read.
struct Met {
  std::string server_problem;  // "": none
  std::string client_problem;
  std::string client_name;  // as the server knows it
  std::string server_name;
  std::string version;
  std::optional<int> days;  // of the server's certificate, for the client
  bool ticket = false;
  int chain = 0;  // certificates that the server has shown
};

constexpr char kHello[] = "hello";

// Both sides of a connection in one thread. After its handshake the server writes, and the client
// reads: a verdict about its certificate reaches it then.
class Meeting {
 public:
  Meeting(ssl::context& server, ssl::context& client)
      : server_(Socket(io_), server), client_(Socket(io_), client) {
    asio::local::connect_pair(server_.next_layer(), client_.next_layer());
  }

  SSL* client() { return client_.native_handle(); }

  Met run() {
    server_.async_handshake(ssl::stream_base::server, [this](error_code error) {
      met_.client_name = peer_name(server_.native_handle());
      if (error) return server_ends(error);
      asio::async_write(server_, asio::buffer(kHello, sizeof kHello - 1),
                        [this](error_code problem, std::size_t) {
                          if (problem) server_ends(problem);
                        });
    });
    client_.async_handshake(ssl::stream_base::client, [this](error_code error) {
      met_.server_name = peer_name(client());
      met_.days = peer_days_left(client());
      if (error) return client_ends(error);
      asio::async_read(client_, asio::buffer(read_), [this](error_code problem, std::size_t) {
        if (problem) return client_ends(problem);
        met_.version = ::SSL_get_version(client());
        met_.chain = sk_X509_num(::SSL_get_peer_cert_chain(client()));
        met_.ticket = ::SSL_SESSION_has_ticket(::SSL_get0_session(client())) == 1;
      });
    });
    io_.run_for(std::chrono::seconds(30));
    return met_;
  }

 private:
  void server_ends(error_code error) {
    met_.server_problem = tls_problem(error, server_.native_handle());
    server_.next_layer().close();
  }
  void client_ends(error_code error) {
    met_.client_problem = tls_problem(error, client());
    client_.next_layer().close();
  }

  asio::io_context io_;
  ssl::stream<Socket> server_;
  ssl::stream<Socket> client_;
  std::array<char, sizeof kHello - 1> read_{};
  Met met_;
};

Met meet(ssl::context& server, ssl::context& client, const std::string& host = "localhost") {
  Meeting meeting(server, client);
  expect_host(meeting.client(), host);
  return meeting.run();
}

Met meet(const TlsFiles& server, const TlsFiles& client, const std::string& host = "localhost") {
  TlsContext server_context(Side::server, server);
  TlsContext client_context(Side::client, client);
  return meet(server_context.get(), client_context.get(), host);
}

// A peer that checks nothing about itself or us.
class CarelessPeer {
 public:
  explicit CarelessPeer(const TlsFiles& files, int version = 0) : context_(ssl::context::tls) {
    if (!files.certificate.empty()) {
      context_.use_certificate_chain_file(files.certificate);
      context_.use_private_key_file(files.key, ssl::context::pem);
    }
    if (version != 0) ::SSL_CTX_set_max_proto_version(context_.native_handle(), version);
  }
  ssl::context& get() { return context_; }

 private:
  ssl::context context_;
};

// Our server and a careless client with the certificate of `client`.
Met careless_client(RemoteAuthority& authority, const TlsFiles& client, int version = 0) {
  TlsContext server(Side::server, authority.issue(server_wish()));
  CarelessPeer peer(client, version);
  return meet(server.get(), peer.get());
}

Met careless_server(RemoteAuthority& authority, const TlsFiles& server, int version = 0) {
  CarelessPeer peer(server, version);
  TlsContext client(Side::client, authority.issue({}));
  return meet(peer.get(), client.get());
}

std::string problem_of(Side side, const TlsFiles& files) {
  try {
    TlsContext context(side, files);
  } catch (const common::Error& error) {
    return error.what();
  }
  return "";
}

TEST(Tls, BothSidesLearnTheOtherOnesName) {
  RemoteAuthority authority;
  const Met met = meet(authority.issue(server_wish()), authority.issue({.name = "host1"}));
  EXPECT_EQ(met.server_problem, "");
  EXPECT_EQ(met.client_problem, "");
  EXPECT_EQ(met.client_name, "host1");
  EXPECT_EQ(met.server_name, "guest1");
  EXPECT_EQ(met.version, "TLSv1.3");
  EXPECT_THAT(met.days, testing::Optional(testing::AnyOf(99, 100)));
}

TEST(Tls, NothingIsResumed) {
  RemoteAuthority authority;
  EXPECT_FALSE(meet(authority.issue(server_wish()), authority.issue({})).ticket);
  // Otherwise the line above could hold because no server's ticket is seen.
  CarelessPeer giving(authority.issue(server_wish()));
  CarelessPeer taking({});
  EXPECT_TRUE(meet(giving.get(), taking.get()).ticket);
}

TEST(Tls, TheRootIsNotSent) {
  RemoteAuthority authority;
  EXPECT_EQ(meet(authority.issue(server_wish()), authority.issue({})).chain, 1);
}

TEST(Tls, AServerRefusesAClientOfAnotherAuthority) {
  RemoteAuthority authority;
  RemoteAuthority other;
  const Met met = careless_client(authority, other.issue({}));
  EXPECT_THAT(met.server_problem, StartsWith("its certificate was refused: "));
  EXPECT_EQ(met.client_name, "");
  EXPECT_THAT(met.client_problem, StartsWith("it did not accept our certificate: "));
}

TEST(Tls, AServerRefusesAnExpiredClient) {
  RemoteAuthority authority;
  const Met met = careless_client(authority, authority.issue({.from = -10, .until = -1}));
  EXPECT_EQ(met.server_problem, "its certificate was refused: certificate has expired");
  EXPECT_EQ(met.client_problem, "it did not accept our certificate: certificate expired");
}

TEST(Tls, AServerRefusesAClientOfTomorrow) {
  RemoteAuthority authority;
  const Met met = careless_client(authority, authority.issue({.from = 1}));
  EXPECT_EQ(met.server_problem, "its certificate was refused: certificate is not yet valid");
}

TEST(Tls, AServerRefusesASelfSignedClient) {
  RemoteAuthority authority;
  const Met met = careless_client(authority, authority.self_signed({}));
  EXPECT_EQ(met.server_problem, "its certificate was refused: self-signed certificate");
}

TEST(Tls, AServerRefusesAClientWithoutAName) {
  RemoteAuthority authority;
  const std::string refused = "its certificate was refused: it has no common name";
  EXPECT_EQ(careless_client(authority, authority.issue({.name = ""})).server_problem, refused);
  // Which of the two would the policy go by?
  const CertificateWish two{.name = "host1", .second_name = "host2"};
  EXPECT_EQ(careless_client(authority, authority.issue(two)).server_problem, refused);
  EXPECT_EQ(careless_client(authority, authority.issue({.name = "host\n1"})).server_problem,
            refused);
}

TEST(Tls, AServersCertificateIsNoClients) {
  RemoteAuthority authority;
  const std::string refused = "its certificate was refused: it is not for a manager";
  const Met met = careless_client(authority, authority.issue({.usage = "serverAuth"}));
  EXPECT_EQ(met.server_problem, refused);
  EXPECT_THAT(met.client_problem, StartsWith("it did not accept our certificate: "));
  // Of any purpose.
  EXPECT_EQ(careless_client(authority, authority.issue({.usage = ""})).server_problem, refused);
}

TEST(Tls, AClientsCertificateIsNoServers) {
  RemoteAuthority authority;
  CertificateWish wish = server_wish();
  for (const char* usage : {"clientAuth", ""}) {
    wish.usage = usage;
    EXPECT_EQ(careless_server(authority, authority.issue(wish)).client_problem,
              "its certificate was refused: it is not for a server");
  }
}

TEST(Tls, AServerRefusesAClientWithoutACertificate) {
  RemoteAuthority authority;
  const Met met = careless_client(authority, {});
  EXPECT_EQ(met.server_problem, "it has shown no certificate");
  EXPECT_EQ(met.client_problem, "it wants a certificate, and we have shown none");
}

TEST(Tls, OlderVersionsAreRefused) {
  RemoteAuthority authority;
  const Met client = careless_client(authority, authority.issue({}), TLS1_2_VERSION);
  EXPECT_EQ(client.server_problem, "it does not speak TLS 1.3");
  EXPECT_EQ(client.client_problem, "it does not speak TLS 1.3");
  const Met server = careless_server(authority, authority.issue(server_wish()), TLS1_2_VERSION);
  EXPECT_EQ(server.client_problem, "it does not speak TLS 1.3");
}

TEST(Tls, AClientRefusesAServerOfAnotherAuthority) {
  RemoteAuthority authority;
  RemoteAuthority other;
  const Met met = careless_server(authority, other.issue(server_wish()));
  EXPECT_THAT(met.client_problem, StartsWith("its certificate was refused: "));
  EXPECT_EQ(met.server_name, "");
  EXPECT_THAT(met.server_problem, StartsWith("it did not accept our certificate: "));
}

TEST(Tls, AClientRefusesAServerOfAnotherName) {
  RemoteAuthority authority;
  const TlsFiles server = authority.issue(server_wish("DNS:guest1,DNS:guest1.example,IP:::1"));
  const TlsFiles client = authority.issue({});
  for (const char* host : {"guest1", "guest1.example", "GUEST1.example.", "::1", "[::1]",
                           "0:0:0:0:0:0:0:1", "[::1%lo]"}) {
    EXPECT_EQ(meet(server, client, host).client_problem, "") << host;
  }
  EXPECT_EQ(meet(server, client, "guest2").client_problem,
            "its certificate was refused: it is not for \"guest2\"");
  EXPECT_EQ(meet(server, client, "127.0.0.1").client_problem,
            "its certificate was refused: it is not for \"127.0.0.1\"");
}

TEST(Tls, AClientDoesNotGoByTheCommonName) {
  RemoteAuthority authority;
  const Met met = meet(authority.issue(server_wish("")), authority.issue({}), "guest1");
  EXPECT_EQ(met.client_problem, "its certificate was refused: it is not for \"guest1\"");
}

TEST(Tls, AClientThatExpectsNobodyRefusesEverybody) {
  RemoteAuthority authority;
  TlsContext server(Side::server, authority.issue(server_wish()));
  TlsContext client(Side::client, authority.issue({}));
  Meeting meeting(server.get(), client.get());
  EXPECT_THAT(meeting.run().client_problem, StartsWith("its certificate was refused: "));
}

TEST(Tls, NoNameAtAllCanBeExpected) {
  RemoteAuthority authority;
  TlsContext client(Side::client, authority.issue({}));
  Meeting meeting(client.get(), client.get());
  for (const std::string& host : {std::string(), std::string("."), std::string("a\0b", 3)}) {
    EXPECT_THROW(expect_host(meeting.client(), host), common::Error) << host;
  }
}

TEST(Tls, APeerWithoutTlsIsSaidSo) {
  RemoteAuthority authority;
  TlsContext context(Side::client, authority.issue({}));
  asio::io_context io;
  ssl::stream<Socket> client(Socket(io), context.get());
  Socket peer(io);
  asio::local::connect_pair(peer, client.next_layer());
  expect_host(client.native_handle(), "localhost");
  asio::write(peer, asio::buffer("SSH-2.0-OpenSSH_9.2p1 Debian\r\n", 30));
  error_code error;
  client.handshake(ssl::stream_base::client, error);
  EXPECT_EQ(tls_problem(error, client.native_handle()), "it does not speak TLS");
}

TEST(Tls, APeerThatEndsIsSaidSo) {
  RemoteAuthority authority;
  TlsContext context(Side::client, authority.issue({}));
  asio::io_context io;
  ssl::stream<Socket> client(Socket(io), context.get());
  {
    Socket peer(io);
    asio::local::connect_pair(peer, client.next_layer());
    peer.shutdown(Socket::shutdown_send);
    expect_host(client.native_handle(), "localhost");
    error_code error;
    client.handshake(ssl::stream_base::client, error);
    EXPECT_EQ(tls_problem(error, client.native_handle()), "it ended the connection");
  }
  EXPECT_EQ(tls_problem(asio::error::connection_reset, nullptr), "Connection reset by peer");
}

TEST(Tls, DuringARotationBothAuthoritiesAreAccepted) {
  RemoteAuthority before;
  RemoteAuthority after;
  const std::string both = tests::read_file(after.file()) + tests::read_file(before.file());
  TlsFiles server = after.issue(server_wish());
  replace_file(server.authorities, both);
  TlsFiles old_client = before.issue({.name = "old"});
  replace_file(old_client.authorities, both);
  const Met met = meet(server, old_client);
  EXPECT_EQ(met.client_problem, "");
  EXPECT_EQ(met.client_name, "old");
  EXPECT_EQ(meet(server, after.issue({.name = "new"})).client_name, "new");
}

TEST(TlsContext, KnowsItsOwnNameAndDays) {
  RemoteAuthority authority;
  TlsContext context(Side::client, authority.issue({.name = "host1", .until = 7}));
  EXPECT_EQ(context.name(), "host1");
  EXPECT_THAT(context.days_left(), testing::AnyOf(6, 7));
}

TEST(TlsContext, AMissingFileIsNamedWithHowToMakeIt) {
  RemoteAuthority authority;
  const TlsFiles files = authority.issue({});
  for (std::string TlsFiles::*which :
       {&TlsFiles::certificate, &TlsFiles::key, &TlsFiles::authorities}) {
    TlsFiles missing = files;
    missing.*which += ".none";
    EXPECT_THAT(problem_of(Side::client, missing),
                AllOf(StartsWith(missing.*which + ": No such file or directory; "),
                      HasSubstr("genapp keys host")));
  }
}

TEST(TlsContext, AKeyThatOthersCanReadIsRefused) {
  RemoteAuthority authority;
  const TlsFiles files = authority.issue({});
  for (const unsigned mode : {0604u, 0602u, 0620u}) {
    fs::permissions(files.key, fs::perms(mode));
    EXPECT_THAT(problem_of(Side::client, files),
                AllOf(StartsWith(files.key + ": "), HasSubstr("chmod 600")))
        << mode;
  }
  for (const unsigned mode : {0400u, 0600u, 0640u}) {
    fs::permissions(files.key, fs::perms(mode));
    EXPECT_EQ(problem_of(Side::client, files), "") << mode;
  }
}

TEST(TlsContext, FilesThatDoNotFitAreRefused) {
  RemoteAuthority authority;
  TlsFiles files = authority.issue({});
  const std::string own_key = files.key;
  files.key = authority.issue({}).key;
  EXPECT_THAT(problem_of(Side::client, files),
              StartsWith(files.key + ": is not the key of " + files.certificate));

  files.key = own_key;
  replace_file(own_key, "nothing");
  EXPECT_THAT(problem_of(Side::client, files),
              StartsWith(own_key + ": holds no private key in PEM form"));
  EXPECT_EQ(problem_of(Side::client, {own_key, own_key, files.authorities}),
            own_key + ": holds no certificate in PEM form");
}

TEST(TlsContext, ADamagedCertificateIsRefused) {
  RemoteAuthority authority;
  const TlsFiles files = authority.issue({});
  const std::string good = tests::read_file(files.authorities);
  std::string cut = good;
  cut.erase(cut.size() / 2, 8);
  // A bundle of which the first is good: what follows must not be dropped in silence.
  replace_file(files.authorities, good + cut);
  EXPECT_THAT(problem_of(Side::client, files),
              StartsWith(files.authorities + ": certificate 2 of it is damaged"));
}

TEST(TlsContext, AKeyWithAPassphraseIsRefusedWithoutAsking) {
  RemoteAuthority authority;
  const TlsFiles files = authority.issue({});
  const tests::Result made =
      tests::run({.argv = {"openssl", "pkey", "-in", files.key, "-aes256", "-passout", "pass:x",
                           "-out", files.key + ".locked"}});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  fs::rename(files.key + ".locked", files.key);
  fs::permissions(files.key, fs::perms(0600));
  EXPECT_THAT(problem_of(Side::client, files), StartsWith(files.key + ": has a passphrase"));
}

TEST(TlsContext, AnOwnCertificateThatThePeerWouldRefuseIsRefusedHere) {
  RemoteAuthority authority;
  const auto problem = [&](Side side, const CertificateWish& wish) {
    return problem_of(side, authority.issue(wish));
  };
  EXPECT_THAT(problem(Side::client, {.from = -9, .until = -1}), HasSubstr(": has expired on "));
  EXPECT_THAT(problem(Side::client, {.from = 1}),
              AllOf(HasSubstr(": is not valid before "), HasSubstr("clock")));
  EXPECT_THAT(problem(Side::client, server_wish()), HasSubstr(": is not for a manager"));
  EXPECT_THAT(problem(Side::client, {.usage = ""}), HasSubstr(": is not for a manager"));
  EXPECT_THAT(problem(Side::server, {}), HasSubstr(": is not for a server"));
  EXPECT_THAT(problem(Side::client, {.name = ""}), HasSubstr(": has no common name"));
  CertificateWish nameless = server_wish();
  nameless.name = "";
  EXPECT_EQ(problem(Side::server, nameless), "");
}

TEST(TlsContext, AuthoritiesThatHaveAllExpiredAreRefused) {
  RemoteAuthority living;
  RemoteAuthority expired(-1);
  TlsFiles files = living.issue({});
  files.authorities = expired.file();
  EXPECT_THAT(problem_of(Side::client, files),
              StartsWith(expired.file() + ": every authority in it has expired"));
  // One of two will do: that is how an old one goes out.
  replace_file(expired.file(), tests::read_file(expired.file()) + tests::read_file(living.file()));
  EXPECT_EQ(problem_of(Side::client, files), "");
}

class Reloaded : public testing::Test {
 protected:
  // The files of `from`, each renamed into the place of ours.
  void take(const TlsFiles& from) {
    replace_file(files_.key, tests::read_file(from.key));
    replace_file(files_.certificate, tests::read_file(from.certificate));
  }

  RemoteAuthority authority_;
  TlsFiles files_ = authority_.issue({.name = "before"});
  std::vector<std::string> warnings_;
  TlsKeys keys_{Side::client, files_, [this](std::string line) { warnings_.push_back(line); }};
};

TEST_F(Reloaded, TheSameFilesAreNotReadAgain) {
  const auto first = keys_.current();
  EXPECT_EQ(first->name(), "before");
  EXPECT_EQ(keys_.current(), first);
}

TEST_F(Reloaded, NewFilesAreTaken) {
  const auto first = keys_.current();
  take(authority_.issue({.name = "after"}));
  EXPECT_EQ(keys_.current()->name(), "after");
  EXPECT_EQ(first->name(), "before");  // of connections that exist
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(Reloaded, NewAuthoritiesAreTaken) {
  RemoteAuthority other;
  TlsContext client(Side::client, other.issue({.name = "newcomer"}));
  TlsFiles files = authority_.issue(server_wish());
  TlsKeys server(Side::server, files, [](const std::string&) {});
  const auto name = [&] {
    CarelessPeer peer(other.issue({.name = "newcomer"}));
    return meet(server.current()->get(), peer.get()).client_name;
  };
  EXPECT_EQ(name(), "");
  replace_file(files.authorities,
               tests::read_file(files.authorities) + tests::read_file(other.file()));
  EXPECT_EQ(name(), "newcomer");
}

TEST_F(Reloaded, BadFilesAreWarnedAboutOnceAndTheOldStay) {
  const auto first = keys_.current();
  replace_file(files_.key, "nothing");
  EXPECT_EQ(keys_.current(), first);
  EXPECT_EQ(keys_.current(), first);
  EXPECT_THAT(warnings_, ElementsAre(AllOf(StartsWith(files_.key + ": "),
                                           HasSubstr("the former keys stay in use"))));
  take(authority_.issue({.name = "after"}));
  EXPECT_EQ(keys_.current()->name(), "after");
  EXPECT_EQ(warnings_.size(), 1u);
  // A second time is told anew.
  fs::remove(files_.certificate);
  EXPECT_EQ(keys_.current()->name(), "after");
  EXPECT_EQ(keys_.current()->name(), "after");
  EXPECT_EQ(warnings_.size(), 2u);
}

TEST_F(Reloaded, RightsThatAreMendedAreSeen) {
  const TlsFiles after = authority_.issue({.name = "after"});
  fs::permissions(files_.key, fs::perms(0644));
  take(after);
  EXPECT_EQ(keys_.current()->name(), "before");
  fs::permissions(files_.key, fs::perms(0600));
  EXPECT_EQ(keys_.current()->name(), "after");
  EXPECT_EQ(warnings_.size(), 1u);
}

TEST(TlsKeys, BeginsWithGoodFilesOrNotAtAll) {
  RemoteAuthority authority;
  TlsFiles files = authority.issue({});
  fs::remove(files.key);
  EXPECT_THROW(TlsKeys(Side::client, files, [](const std::string&) {}), common::Error);
}

}  // namespace
}  // namespace genapp::remote
