#include "lbhc/http_request.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace genapp::lbhc {
namespace {

using Progress = HttpRequestReader::Progress;

Progress put(HttpRequestReader& reader, const std::string& bytes) {
  return reader.put(bytes.data(), bytes.size());
}

Progress progress_of(const std::string& bytes) {
  HttpRequestReader reader;
  return put(reader, bytes);
}

std::string header_of(std::size_t bytes) {
  std::string text = "GET / HTTP/1.1\r\n";
  while (text.size() + 200 < bytes) text += "X-Filler: " + std::string(80, 'x') + "\r\n";
  text += "X-Last: " + std::string(bytes - text.size() - 12, 'x') + "\r\n\r\n";
  return text;
}

TEST(HttpRequest, KnowsMethodAndVersion) {
  struct Case {
    const char* line;
    HttpMethod method;
    int version;
  };
  for (const Case& each :
       {Case{"GET / HTTP/1.1", HttpMethod::get, 11}, Case{"GET / HTTP/1.0", HttpMethod::get, 10},
        Case{"HEAD /health HTTP/1.1", HttpMethod::head, 11},
        Case{"OPTIONS / HTTP/1.0", HttpMethod::options, 10},
        Case{"OPTIONS * HTTP/1.1", HttpMethod::options, 11},
        Case{"GET http://10.0.0.1:80/x?y=z HTTP/1.1", HttpMethod::get, 11},
        Case{"POST / HTTP/1.1", HttpMethod::other, 11},
        Case{"PUT / HTTP/1.1", HttpMethod::other, 11},
        Case{"BREW /pot HTTP/1.1", HttpMethod::other, 11}}) {
    HttpRequestReader reader;
    EXPECT_EQ(put(reader, std::string(each.line) + "\r\nHost: x\r\n\r\n"), Progress::complete)
        << each.line;
    EXPECT_EQ(reader.request().method, each.method) << each.line;
    EXPECT_EQ(reader.request().version, each.version) << each.line;
  }
}

TEST(HttpRequest, NeedsNoFields) {
  EXPECT_EQ(progress_of("GET / HTTP/1.0\r\n\r\n"), Progress::complete);
}

TEST(HttpRequest, MayComeOneByteAtATime) {
  const std::string text =
      "GET /healthz HTTP/1.1\r\nHost: 10.0.0.1\r\nUser-Agent: GoogleHC/1.0\r\n\r\n";
  HttpRequestReader reader;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    ASSERT_EQ(reader.put(&text[i], 1), Progress::more) << i;
  }
  EXPECT_EQ(reader.put(&text.back(), 1), Progress::complete);
  EXPECT_EQ(reader.request().method, HttpMethod::get);
}

// However the network cuts it up: what is no request is told by its first line, also when that came
// in two pieces and nothing follows.
TEST(HttpRequest, AWrongFirstLineIsBadAtOnceHoweverItComes) {
  for (const std::string& text :
       {std::string("SSH-2.0-x\r\n"), std::string("GARBAGE\n"), std::string("GET / HTTP/1.1\n"),
        std::string("GET / HT\n"), std::string("GET / HTTP/2.0\r\n")}) {
    EXPECT_EQ(progress_of(text), Progress::bad) << text;
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      HttpRequestReader reader;
      ASSERT_EQ(put(reader, text.substr(0, cut)), Progress::more) << text << cut;
      EXPECT_EQ(put(reader, text.substr(cut)), Progress::bad) << text << cut;
    }
  }
}

// A wrong field too, and a header that is too large, are the same in one piece and in two.
TEST(HttpRequest, MeansTheSameInOnePieceAndInTwo) {
  const std::string long_field = "X: " + std::string(9000, 'x');
  for (const std::string& text :
       {std::string("GET / HTTP/1.1\r\nx y\r\nHost: z"), "GET / HTTP/1.1\r\nx y\r\n" + long_field,
        "GET / HTTP/1.1\r\nx y\r\n" + long_field + "\r\n\r\n", "GET /\r\n" + long_field,
        std::string("GET / HTTP/1.1\r\nHost: x\n\n"),
        std::string("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"),
        std::string("\r\n\r\nHEAD / HTTP/1.0\r\n\r\nrest")}) {
    const Progress whole = progress_of(text);
    for (std::size_t cut = 1; cut < std::min<std::size_t>(text.size(), 60); ++cut) {
      HttpRequestReader reader;
      Progress progress = put(reader, text.substr(0, cut));
      if (progress == Progress::more) progress = put(reader, text.substr(cut));
      EXPECT_EQ(progress, whole) << text.substr(0, 60) << " cut at " << cut;
    }
  }
}

TEST(HttpRequest, TheBoundIsExact) {
  const std::string most = header_of(HttpRequestReader::kMostHeaderBytes);
  ASSERT_EQ(most.size(), HttpRequestReader::kMostHeaderBytes);
  EXPECT_EQ(progress_of(most), Progress::complete);
  EXPECT_EQ(progress_of(most + "body"), Progress::complete);
  EXPECT_EQ(progress_of(header_of(HttpRequestReader::kMostHeaderBytes + 1)), Progress::too_large);
}

// RFC 9112, 2.2: a server ignores at least one empty line before the request.
TEST(HttpRequest, MayBeginWithAnEmptyLine) {
  HttpRequestReader reader;
  EXPECT_EQ(put(reader, "\r\nGET / HTTP/1.1\r\n\r\n"), Progress::complete);
  EXPECT_EQ(reader.request().method, HttpMethod::get);
}

TEST(HttpRequest, IsCompleteWithoutItsBody) {
  HttpRequestReader reader;
  EXPECT_EQ(put(reader, "POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nfirst bytes"),
            Progress::complete);
  EXPECT_EQ(reader.request().method, HttpMethod::other);
  EXPECT_EQ(progress_of("GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"), Progress::complete);
  EXPECT_EQ(progress_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            Progress::complete);
}

TEST(HttpRequest, WhatFollowsItIsNotLookedAt) {
  HttpRequestReader reader;
  EXPECT_EQ(put(reader, "GET / HTTP/1.1\r\n\r\nPOST /other HTTP/1.0\r\n\r\n"), Progress::complete);
  EXPECT_EQ(reader.request().method, HttpMethod::get);
  EXPECT_EQ(reader.request().version, 11);
  EXPECT_EQ(progress_of("GET / HTTP/1.1\r\n\r\n" + std::string(100'000, '\0')), Progress::complete);
}

// What can't begin a request is told by its first byte, before any line feed comes.
TEST(HttpRequest, ForeignProtocolsAreToldAtOnce) {
  EXPECT_EQ(progress_of("\x16"), Progress::bad);
  EXPECT_EQ(progress_of("\x16\x03\x01\x02\x01\x01\xfc\x03\x03"), Progress::bad);
  EXPECT_EQ(progress_of(std::string(1, '\0')), Progress::bad);
  EXPECT_EQ(progress_of("\x80"), Progress::bad);
  EXPECT_EQ(progress_of("\xff\xfe"), Progress::bad);
}

TEST(HttpRequest, GarbageIsBad) {
  for (const char* text : {"GET /\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/2.0\r\n\r\n",
                           "GET / HTTX/1.1\r\n\r\n", "GARBAGE\r\n\r\n", "GET / HTTP/1.1 x\r\n\r\n",
                           "SSH-2.0-OpenSSH_9.2\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n",
                           "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nx y\r\n\r\n",
                           "GET / HTTP/1.1\r\n: x\r\n\r\n", "PROXY UNKNOWN\r\n\r\n"}) {
    EXPECT_EQ(progress_of(text), Progress::bad) << text;
  }
}

TEST(HttpRequest, AContradictoryLengthIsBad) {
  EXPECT_EQ(progress_of("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"), Progress::bad);
  EXPECT_EQ(progress_of("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
            Progress::bad);
}

TEST(HttpRequest, MayHaveAHeaderUpToTheLimit) {
  ASSERT_EQ(header_of(8000).size(), 8000u);
  EXPECT_EQ(progress_of(header_of(8000)), Progress::complete);
}

TEST(HttpRequest, ALongerHeaderIsTooLarge) {
  EXPECT_EQ(progress_of(header_of(HttpRequestReader::kMostHeaderBytes + 500)), Progress::too_large);
  EXPECT_EQ(progress_of("GET /" + std::string(9000, 'x')), Progress::too_large);
  EXPECT_EQ(progress_of("GET / HTTP/1.1\r\nX: " + std::string(9000, 'x')), Progress::too_large);
  EXPECT_EQ(progress_of(std::string(9000, 'A')), Progress::too_large);
}

// However it comes: the limit is on the whole header, not on what one read brings.
TEST(HttpRequest, ALongerHeaderIsTooLargeInSmallPiecesToo) {
  const std::string start = "GET / HTTP/1.1\r\n";
  for (const std::string& piece :
       {std::string("X: y\r\n"), std::string("x"), std::string("A: bcdefg\r\n")}) {
    HttpRequestReader reader;
    Progress progress = put(reader, start);
    std::size_t sent = start.size();
    while (progress == Progress::more && sent < 100'000) {
      progress = put(reader, piece);
      sent += piece.size();
    }
    EXPECT_EQ(progress, Progress::too_large) << piece;
    EXPECT_LT(sent, HttpRequestReader::kMostHeaderBytes + 100) << piece;
  }
}

TEST(HttpRequest, NothingIsNotYetARequest) {
  EXPECT_EQ(progress_of(""), Progress::more);
  EXPECT_EQ(progress_of("G"), Progress::more);
  EXPECT_EQ(progress_of("GET / HTTP/1.1\r\n"), Progress::more);
}

}  // namespace
}  // namespace genapp::lbhc
