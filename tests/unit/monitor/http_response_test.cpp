#include "monitor/http_response.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace genapp::monitor {
namespace {

using Progress = HttpResponseReader::Progress;
using Want = HttpResponseReader::Want;
using testing::HasSubstr;

struct Outcome {
  Progress progress = Progress::more;
  std::optional<int> status;
  std::string line;
  bool found = false;
  std::string reason;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome outcome_of(Progress progress, const HttpResponseReader& reader) {
  return {progress, reader.status(), reader.status_line(), reader.found(), reader.reason()};
}

Outcome read_in_pieces(Want want, const std::string& bytes, std::size_t size, bool end,
                       const std::string& text) {
  HttpResponseReader reader(want, text);
  Progress progress = Progress::more;
  for (std::size_t at = 0; at < bytes.size() && progress == Progress::more; at += size) {
    progress = reader.put(std::string_view(bytes).substr(at, size));
  }
  if (end) progress = reader.end();
  return outcome_of(progress, reader);
}

// However the bytes come, the outcome is the same.
Outcome read_all(Want want, const std::string& bytes, bool end, const std::string& text = "") {
  const Outcome whole = read_in_pieces(want, bytes, bytes.size() + 1, end, text);
  for (const std::size_t size : {1, 2, 3, 7, 1000}) {
    EXPECT_EQ(read_in_pieces(want, bytes, size, end, text), whole) << "in pieces of " << size;
  }
  return whole;
}

Outcome read(Want want, const std::string& bytes, const std::string& text = "") {
  return read_all(want, bytes, false, text);
}

Outcome read_to_end(Want want, const std::string& bytes, const std::string& text = "") {
  return read_all(want, bytes, true, text);
}

TEST(HttpResponse, TheFirstLineIsEnough) {
  const Outcome outcome = read(Want::first_line, "HTTP/1.1 404 Not Found\r\nServer: x\r\n");
  EXPECT_EQ(outcome.progress, Progress::complete);
  EXPECT_EQ(outcome.line, "HTTP/1.1 404 Not Found");
  EXPECT_EQ(outcome.status, 404);
}

TEST(HttpResponse, HalfAFirstLineIsNot) {
  EXPECT_EQ(read(Want::first_line, "HTTP/1.1 404 Not Found").progress, Progress::more);
  EXPECT_EQ(read(Want::first_line, "").progress, Progress::more);
}

TEST(HttpResponse, StatusLinesOfAllKindsAreRead) {
  struct Case {
    std::string line;
    std::optional<int> status;
  };
  const std::vector<Case> cases{
      {"HTTP/1.1 200 OK\r\n", 200},   {"HTTP/1.0 200\r\n", 200},     {"HTTP/1.1 200 OK\n", 200},
      {"HTTP/2 503\n", 503},          {"HTTP/1.1  302  x\r\n", 302}, {"HTTP/9.9\t204\r\n", 204},
      {"HTTP/1.1\r\n", std::nullopt}, {"HTTP/\r\n", std::nullopt},   {"HTTP/1.1 20\r\n", {}},
      {"HTTP/1.1 2000 OK\r\n", {}},   {"HTTP/1.1 OK\r\n", {}},       {"HTTP/1.1 200OK\r\n", 200},
  };
  for (const Case& test : cases) {
    const Outcome outcome = read(Want::first_line, test.line);
    EXPECT_EQ(outcome.progress, Progress::complete) << test.line;
    EXPECT_EQ(outcome.status, test.status) << test.line;
  }
}

TEST(HttpResponse, WhatDoesNotBeginWithHttpIsToldAtOnce) {
  for (const char* bytes : {"S", "HTTX", "http/1.1 200 OK\r\n", "\r\nHTTP/1.1 200 OK\r\n", "HTTP\n",
                            " HTTP/1.1 200 OK\r\n", "220 mail ESMTP\r\n"}) {
    const Outcome outcome = read(Want::first_line, bytes);
    EXPECT_EQ(outcome.progress, Progress::bad) << bytes;
    EXPECT_EQ(outcome.reason, "the answer does not begin with HTTP/") << bytes;
  }
}

TEST(HttpResponse, AnEndBeforeALineHasAReason) {
  EXPECT_EQ(read_to_end(Want::first_line, "").reason,
            "the server ended the connection without an answer");
  EXPECT_EQ(read_to_end(Want::first_line, "HTTP").reason,
            "the server ended the connection before a status line");
}

TEST(HttpResponse, AnEndEndsALine) {
  EXPECT_EQ(read_to_end(Want::first_line, "HTTP/1.1 200").progress, Progress::complete);
  const Outcome outcome = read_to_end(Want::status, "HTTP/1.1 503 x");
  EXPECT_EQ(outcome.progress, Progress::complete);
  EXPECT_EQ(outcome.status, 503);
}

TEST(HttpResponse, ALineWithoutEndIsJudgedByItsBeginning) {
  const std::string line = "HTTP/1.1 200 " + std::string(100000, 'x');
  for (const Want want : {Want::first_line, Want::status}) {
    EXPECT_EQ(read(want, line.substr(0, HttpResponseReader::kMostLine - 1)).progress,
              Progress::more);
    const Outcome outcome = read(want, line);
    EXPECT_EQ(outcome.progress, Progress::complete);
    EXPECT_EQ(outcome.status, 200);
    EXPECT_EQ(outcome.line.size(), HttpResponseReader::kMostLine);
  }
  const Outcome body = read(Want::body, line);
  EXPECT_EQ(body.progress, Progress::bad);
  EXPECT_EQ(body.reason, "the header has more than 65536 bytes");
}

TEST(HttpResponse, ALongStatusLineDoesNotHideTheBody) {
  const Outcome outcome =
      read(Want::body,
           "HTTP/1.1 200 " + std::string(20000, 'x') + "\r\nContent-Length: 2\r\n\r\nok", "ok");
  EXPECT_EQ(outcome.progress, Progress::complete) << outcome.reason;
  EXPECT_TRUE(outcome.found);
}

TEST(HttpResponse, InterimResponsesArePassedOver) {
  const std::string interim =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  EXPECT_EQ(read(Want::status, interim).progress, Progress::more);
  EXPECT_EQ(read(Want::status, interim + "HTTP/1.1 500 x\r\n").status, 500);
  EXPECT_EQ(read(Want::first_line, interim).status, 100) << "where no status is looked at";
  EXPECT_EQ(read(Want::body, interim + "HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\nok", "ok").found,
            true);
}

TEST(HttpResponse, SwitchingProtocolsIsNoInterimResponse) {
  EXPECT_EQ(read(Want::status, "HTTP/1.1 101 x\r\n").progress, Progress::complete);
}

TEST(HttpResponse, InterimResponsesWithoutEndAreBounded) {
  std::string bytes;
  while (bytes.size() <= HttpResponseReader::kMostHeader) bytes += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(read(Want::status, bytes).reason, "the header has more than 65536 bytes");
}

TEST(HttpResponse, AfterAnInterimResponseHttpMustFollow) {
  EXPECT_EQ(read(Want::status, "HTTP/1.1 100 x\r\n\r\nnonsense").progress, Progress::bad);
  EXPECT_EQ(read_to_end(Want::status, "HTTP/1.1 100 x\r\n\r\n").progress, Progress::bad);
}

TEST(HttpResponse, WhereAStatusIsWantedThereMustBeOne) {
  const Outcome outcome = read(Want::status, "HTTP/1.1 OK\r\n");
  EXPECT_EQ(outcome.progress, Progress::bad);
  EXPECT_EQ(outcome.reason, "no status code in \"HTTP/1.1 OK\"");
}

TEST(HttpResponse, ABodyEndsWithItsLength) {
  const std::string header = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n";
  EXPECT_EQ(read(Want::body, header + "hello worl", "world").progress, Progress::more);
  const Outcome outcome = read(Want::body, header + "hello world", "world");
  EXPECT_EQ(outcome.progress, Progress::complete);
  EXPECT_TRUE(outcome.found);
  EXPECT_FALSE(read(Want::body, header + "hello wormsworld", "world").found) << "behind the body";
}

TEST(HttpResponse, AShortBodyIsBad) {
  const Outcome outcome =
      read_to_end(Want::body, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello");
  EXPECT_EQ(outcome.progress, Progress::bad);
  EXPECT_EQ(outcome.reason, "the server ended the connection within the body, after 5 bytes of it");
}

TEST(HttpResponse, ABodyMayEndWithTheConnection) {
  const std::string bytes = "HTTP/1.0 200 OK\r\n\r\nhello world";
  EXPECT_EQ(read(Want::body, bytes, "world").progress, Progress::more);
  const Outcome outcome = read_to_end(Want::body, bytes, "world");
  EXPECT_EQ(outcome.progress, Progress::complete);
  EXPECT_TRUE(outcome.found);
}

TEST(HttpResponse, ChunksArePutTogether) {
  const std::string header = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string chunks = "7\r\nhello w\r\n4;name=value\r\norld\r\n";
  EXPECT_EQ(read(Want::body, header + chunks, "world").progress, Progress::more);
  for (const char* last : {"0\r\n\r\n", "000;x=y\r\n\r\n", "0\r\nTrailer: x\r\n\r\n"}) {
    const Outcome outcome = read(Want::body, header + chunks + last, "world");
    EXPECT_EQ(outcome.progress, Progress::complete) << last << outcome.reason;
    EXPECT_TRUE(outcome.found);
  }
  EXPECT_EQ(read(Want::body, header + "0\r\n\r\n").progress, Progress::complete) << "empty";
  EXPECT_EQ(read_to_end(Want::body, header + chunks).progress, Progress::bad);
}

TEST(HttpResponse, WrongChunksAreBad) {
  const std::string header = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* chunks : {"x\r\n", "\r\n", "-1\r\n", "5\r\nhelloXX0\r\n\r\n", "0x5\r\n\r\n\r\n",
                             "ffffffffffffffffff\r\n", "0\r\nnonsense\r\n\r\n"}) {
    EXPECT_EQ(read(Want::body, header + chunks).progress, Progress::bad) << chunks;
  }
}

TEST(HttpResponse, AChunksBeginningIsBounded) {
  const std::string header = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::size_t most = HttpResponseReader::kMostFraming;
  const auto chunk = [](std::size_t size) { return "1;" + std::string(size - 4, 'x') + "\r\n"; };
  EXPECT_EQ(read(Want::body, header + chunk(most) + "x\r\n0\r\n\r\n").progress, Progress::complete);
  EXPECT_EQ(read(Want::body, header + chunk(most + 1)).reason,
            "a chunk's beginning has more than 8192 bytes");
}

TEST(HttpResponse, SomeStatusesHaveNoBody) {
  for (const char* status : {"204", "304"}) {
    EXPECT_EQ(
        read(Want::body, std::string("HTTP/1.1 ") + status + " x\r\nContent-Length: 5\r\n\r\n")
            .progress,
        Progress::complete);
  }
}

TEST(HttpResponse, LineFeedsAloneEndLines) {
  const Outcome outcome = read(Want::body, "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "hello");
  EXPECT_EQ(outcome.progress, Progress::complete) << outcome.reason;
  EXPECT_TRUE(outcome.found);
}

TEST(HttpResponse, AWrongHeaderIsBad) {
  for (const char* field : {"nonsense", "Content-Length: x", "Content-Length: 1, 2",
                            "Content-Length: 5\r\nTransfer-Encoding: chunked", "A b: c"}) {
    const Outcome outcome =
        read(Want::body, std::string("HTTP/1.1 200 OK\r\n") + field + "\r\n\r\n");
    EXPECT_EQ(outcome.progress, Progress::bad) << field;
    EXPECT_THAT(outcome.reason, HasSubstr("the header is wrong: "));
  }
}

TEST(HttpResponse, TheHeadersBoundIsExact) {
  const std::string begin = "HTTP/1.1 204 OK\r\nX: ";
  const auto header = [&](std::size_t size) {
    std::string text = begin;
    while (text.size() < size - 1004) text += std::string(1000, 'x') + "\r\nX: ";
    return text + std::string(size - 4 - text.size(), 'x') + "\r\n\r\n";
  };
  const std::string most = header(HttpResponseReader::kMostHeader);
  ASSERT_EQ(most.size(), HttpResponseReader::kMostHeader);
  EXPECT_EQ(read(Want::body, most).progress, Progress::complete);
  EXPECT_EQ(read(Want::body, header(HttpResponseReader::kMostHeader + 1)).reason,
            "the header has more than 65536 bytes");
}

TEST(HttpResponse, TheBodysFirstMebibyteIsLookedAt) {
  const std::string header = "HTTP/1.1 200 OK\r\n\r\n";
  const std::string text = "needle";
  const std::size_t most = HttpResponseReader::kMostBody;
  const std::string inside = header + std::string(most - text.size(), '.') + text;
  const Outcome outcome = read_in_pieces(Want::body, inside, 8192, false, text);
  EXPECT_EQ(outcome.progress, Progress::complete) << "without the connection's end";
  EXPECT_TRUE(outcome.found);
  const std::string across = header + std::string(most - text.size() + 1, '.') + text;
  for (const std::size_t size : {std::size_t{8192}, std::size_t{1000}, across.size()}) {
    const Outcome beyond = read_in_pieces(Want::body, across, size, false, text);
    EXPECT_EQ(beyond.progress, Progress::complete);
    EXPECT_FALSE(beyond.found);
  }
}

TEST(HttpResponse, WhatFollowsTheFirstMebibyteDoesNotDecide) {
  const std::string chunk = "100000\r\n" + std::string(HttpResponseReader::kMostBody, '.');
  const std::string bytes =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + "nonsense";
  for (const std::size_t size : {std::size_t{1000}, bytes.size()}) {
    EXPECT_EQ(read_in_pieces(Want::body, bytes, size, false, "").progress, Progress::complete);
  }
}

TEST(HttpResponse, ATextIsFoundOverAllBorders) {
  const std::string header = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_TRUE(
      read(Want::body, header + "3\r\naaa\r\n1\r\nb\r\n2\r\nac\r\n0\r\n\r\n", "aabac").found);
  EXPECT_FALSE(read(Want::body, header + "3\r\naaa\r\n1\r\nb\r\n0\r\n\r\n", "aab\r\n").found);
}

TEST(HttpResponse, WhatIsOverStaysAsItIs) {
  HttpResponseReader reader(Want::first_line);
  EXPECT_EQ(reader.put("HTTP/1.1 200 OK\r\n"), Progress::complete);
  EXPECT_EQ(reader.put("nonsense"), Progress::complete);
  EXPECT_EQ(reader.end(), Progress::complete);
  EXPECT_EQ(reader.status_line(), "HTTP/1.1 200 OK");
}

}  // namespace
}  // namespace genapp::monitor
