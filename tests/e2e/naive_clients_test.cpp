// Programs that know nothing of genapp. Each gets a sensible answer, none does harm: after each, an
// ordinary probe is answered, and the status counts both.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/e2e/served_node.hpp"
#include "tests/support/process.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using ::testing::AssertionFailure;
using ::testing::AssertionResult;
using ::testing::AssertionSuccess;

// Options for curl that keep it to itself and to 60 s.
Result curl(std::vector<std::string> arguments) {
  std::vector<std::string> argv{"curl", "-q", "--silent", "--noproxy", "*", "--max-time", "60"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run({argv});
}

class HttpClients : public ::testing::Test {
 protected:
  std::string url() const { return "http://127.0.0.1:" + served.port.text() + "/"; }

  // An ordinary probe now succeeds and is counted, on top of the one connection before it.
  enum class Before { request, garbage };
  void expect_served_after(Before before) const {
    const auto probed = probe(served.port.number(), kGet);
    EXPECT_TRUE(probed.bytes.starts_with("HTTP/1.1 200 ")) << probed.bytes;
    EXPECT_TRUE(probed.bytes.ends_with("\r\n\r\nOK")) << probed.bytes;
    EXPECT_TRUE(probed.ended);
    const lbhc::Status status = served.status();
    EXPECT_EQ(status.probes, 2u);
    EXPECT_EQ(status.answered, before == Before::request ? 2u : 1u);
    EXPECT_EQ(status.undelivered, before == Before::request ? 0u : 1u);
    ASSERT_TRUE(status.last_probe);
    EXPECT_EQ(status.last_probe->source, "127.0.0.1");
  }

  const ServedNode served{kHttp};
};

TEST_F(HttpClients, CurlGetsTheMessage) {
  const Result result = curl({"--fail", url()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "OK");
  expect_served_after(Before::request);
}

TEST_F(HttpClients, CurlHeadGetsTheHeaderOnly) {
  const Result result = curl({"--fail", "-I", url()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(result.out.starts_with("HTTP/1.1 200 OK\r\n")) << result.out;
  EXPECT_NE(result.out.find("Content-Length: 2\r\n"), std::string::npos) << result.out;
  EXPECT_TRUE(result.out.ends_with("\r\n\r\n")) << result.out;
  expect_served_after(Before::request);
}

TEST_F(HttpClients, CurlOptions) {
  const Result result = curl({"--fail", "-X", "OPTIONS", url()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "OK");
  expect_served_after(Before::request);
}

TEST_F(HttpClients, CurlWithHttp10IsAnsweredInKind) {
  const Result result = curl({"--fail", "--http1.0", "-i", url()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(result.out.starts_with("HTTP/1.0 200 OK\r\n")) << result.out;
  expect_served_after(Before::request);
}

TEST_F(HttpClients, CurlPostGets405) {
  const Result result = curl({"-o", "/dev/null", "-w", "%{http_code}", "--data", "hello", url()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "405");
  expect_served_after(Before::request);
}

// A body that the daemon never looks at must not turn the end into a reset that eats the answer.
TEST_F(HttpClients, CurlPostWithALongBodyStillGets405) {
  const Result result = curl({"-o", "/dev/null", "-w", "%{http_code}", "-H",
                              "Expect:", "--data-binary", std::string(32 * 1024, 'x'), url()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "405");
  expect_served_after(Before::request);
}

TEST_F(HttpClients, CurlWithTlsFailsAtOnceAndHarmsNobody) {
  const Result result = curl({"-k", "https://127.0.0.1:" + served.port.text() + "/"});
  EXPECT_EQ(result.exit_code, 35) << result.err;  // CURLE_SSL_CONNECT_ERROR, and not a timeout
  expect_served_after(Before::garbage);
}

TEST_F(HttpClients, NginxAsReverseProxyPassesTheMessageOn) {
  const TempDir folder;
  const Port front;
  // No master process: it would hand over to a user that may not enter the folder.
  std::string text =
      "daemon off; master_process off; pid nginx.pid; error_log stderr;\n"
      "events {}\nhttp { access_log off;\n";
  for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    text += std::string(kind) + "_temp_path " + kind + ";\n";
  }
  text += "server { listen 127.0.0.1:" + front.text() + "; location / { proxy_pass " + url() +
          "; } } }\n";
  write_file(folder / "nginx.conf", text);
  Process nginx({{"nginx", "-p", folder.path(), "-c", folder / "nginx.conf", "-e", "stderr"}});
  ASSERT_TRUE(wait_until([&] { return accepts(front.number()) || !nginx.running(); }));
  ASSERT_TRUE(nginx.running()) << nginx.err();

  const Result result = curl({"--fail", "http://127.0.0.1:" + front.text() + "/any/where?x=1"});
  EXPECT_EQ(result.exit_code, 0) << result.err << nginx.err();
  EXPECT_EQ(result.out, "OK");
  expect_served_after(Before::request);
}

class TcpClients : public ::testing::Test {
 protected:
  AssertionResult serves() const {
    const auto probed = probe(served.port.number());
    if (probed.bytes == "OK" && probed.ended) return AssertionSuccess();
    return AssertionFailure() << "got \"" << probed.bytes << "\", reset: " << probed.reset;
  }

  const ServedNode served{kTcp};
};

TEST_F(TcpClients, NcWithoutInputPrintsTheMessage) {
  const Result result = run({{"nc", "127.0.0.1", served.port.text()}});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "OK");
  EXPECT_TRUE(serves());
  EXPECT_EQ(served.status().answered, 2u);
}

TEST_F(TcpClients, NcWithInputPrintsTheMessage) {
  Command nc{{"nc", "-N", "127.0.0.1", served.port.text()}};
  nc.input = "who is there?\n" + std::string(10000, 'x');
  const Result result = run(nc);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "OK");
  EXPECT_TRUE(serves());
  EXPECT_EQ(served.status().answered, 2u);
}

TEST_F(TcpClients, ATlsClientFailsAtOnceAndHarmsNobody) {
  const Result result =
      run({{"openssl", "s_client", "-connect", "127.0.0.1:" + served.port.text()}});
  EXPECT_FALSE(result.over_limit);
  EXPECT_NE(result.exit_code, 0);
  EXPECT_TRUE(serves());
  EXPECT_EQ(served.status().answered, 2u);
}

TEST_F(TcpClients, CurlOnATcpReplyFailsAndHarmsNobody) {
  const Result result = curl({"http://127.0.0.1:" + served.port.text() + "/"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_NE(result.exit_code, 28) << "a timeout";
  EXPECT_TRUE(serves());
  EXPECT_EQ(served.status().answered, 2u);
}

constexpr std::uint64_t kScans = 200;

void scan(std::uint16_t port) {
  for (std::uint64_t i = 0; i < kScans; ++i) Client("127.0.0.1", port).reset();
}

TEST_F(TcpClients, APortScanByConnectAndResetIsCountedAndForgotten) {
  scan(served.port.number());
  EXPECT_TRUE(serves());
  const lbhc::Status status = served.status();
  EXPECT_EQ(status.probes, kScans + 1);
  // Whether the reply was sent before the reset came is the scanner's luck.
  EXPECT_EQ(status.answered + status.undelivered, kScans + 1);
  EXPECT_TRUE(wait_until([&] { return served.status().connections == 0; }));
}

TEST_F(HttpClients, APortScanByConnectAndResetIsCountedAndForgotten) {
  scan(served.port.number());
  EXPECT_TRUE(probe(served.port.number(), kGet).bytes.ends_with("OK"));
  EXPECT_TRUE(wait_until([&] { return served.status().undelivered == kScans; }));
  EXPECT_EQ(served.status().probes, kScans + 1);
  EXPECT_EQ(served.status().answered, 1u);
  EXPECT_TRUE(wait_until([&] { return served.status().connections == 0; }));
}

}  // namespace
}  // namespace genapp::tests
