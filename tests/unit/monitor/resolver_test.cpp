#include "monitor/resolver.hpp"

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <optional>

#include "tests/support/wait.hpp"

namespace genapp::monitor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono_literals;

// Looks a name up; the event loop must end by itself once it has told the result.
Addresses look_up(const std::string& host) {
  boost::asio::io_context io;
  Resolver resolver(io);
  std::optional<Addresses> result;
  const auto handle = resolver.look_up(host, [&](const Addresses& found) { result = found; });
  EXPECT_FALSE(result) << "told from within the call";
  io.run_for(60s);
  EXPECT_TRUE(result);
  return result.value_or(Addresses{});
}

std::size_t threads() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator("/proc/self/task")) {
    ++count;
  }
  return count;
}

TEST(Resolver, AddressesAreThemselves) {
  EXPECT_THAT(look_up("127.0.0.1").list, ElementsAre("127.0.0.1"));
  EXPECT_THAT(look_up("::1").list, ElementsAre("::1"));
  EXPECT_THAT(look_up("[::1]").list, ElementsAre("::1"));
  EXPECT_THAT(look_up("192.0.2.255").list, ElementsAre("192.0.2.255"));
}

TEST(Resolver, ALinkLocalAddressKeepsItsLink) {
  EXPECT_THAT(look_up("fe80::1%lo").list, ElementsAre("fe80::1%lo"));
}

TEST(Resolver, LocalhostIsLoopbackHoweverItIsWritten) {
  for (const char* name : {"localhost", "LocalHost", "localhost.", "a.localhost"}) {
    EXPECT_THAT(look_up(name).list, ElementsAre("::1", "127.0.0.1")) << name;
  }
}

TEST(Resolver, WhatNeedsNobodyNeedsNoThread) {
  boost::asio::io_context io;
  Resolver resolver(io);
  const std::size_t before = threads();
  const auto first = resolver.look_up("localhost", [](const Addresses&) {});
  const auto second = resolver.look_up("[::1]", [](const Addresses&) {});
  EXPECT_EQ(threads(), before);
}

// RFC 6761, 6.4: no name server knows it.
TEST(Resolver, AnUnknownNameHasAReason) {
  for (const char* name : {"no-such-host.invalid", "xlocalhost.invalid"}) {
    const Addresses result = look_up(name);
    EXPECT_THAT(result.list, IsEmpty());
    EXPECT_THAT(result.reason, HasSubstr(std::string("looking up \"") + name + "\": "));
    EXPECT_THAT(result.reason, Not(HasSubstr("Success")));
  }
}

TEST(Resolver, EveryoneWhoAsksIsTold) {
  boost::asio::io_context io;
  Resolver resolver(io);
  const std::size_t before = threads();
  int told = 0;
  std::vector<std::shared_ptr<void>> handles;
  for (int i = 0; i < 20; ++i) {
    handles.push_back(resolver.look_up("no-such-host.invalid", [&](const Addresses&) { ++told; }));
  }
  // One is asked for at a time; it may have ended by now, but never are there two.
  EXPECT_LE(threads(), before + 1);
  io.run_for(60s);
  EXPECT_EQ(told, 20);
  EXPECT_TRUE(io.stopped()) << "the event loop ends by itself";
}

TEST(Resolver, WhoIsToldMayAskAgain) {
  boost::asio::io_context io;
  Resolver resolver(io);
  std::shared_ptr<void> second;
  bool told = false;
  const auto first = resolver.look_up("no-such-host.invalid", [&](const Addresses&) {
    second = resolver.look_up("no-such-host.invalid", [&](const Addresses&) { told = true; });
  });
  io.run_for(60s);
  EXPECT_TRUE(told);
}

TEST(Resolver, WhoHasLeftIsNotTold) {
  boost::asio::io_context io;
  Resolver resolver(io);
  bool told = false;
  for (const char* name : {"localhost", "no-such-host.invalid"}) {
    auto handle = resolver.look_up(name, [&](const Addresses&) { told = true; });
    handle.reset();
  }
  // Nothing keeps the event loop from ending, though the thread may still run.
  io.run_for(60s);
  EXPECT_TRUE(io.stopped());
  EXPECT_FALSE(told);
}

TEST(Resolver, AThreadOutlivesResolverAndEventLoop) {
  const std::size_t before = threads();
  {
    boost::asio::io_context io;
    Resolver resolver(io);
    const auto handle =
        resolver.look_up("no-such-host.invalid", [](const Addresses&) { ADD_FAILURE(); });
  }
  EXPECT_TRUE(tests::wait_until([&] { return threads() <= before; }, 60s)) << "it ends by itself";
}

TEST(Resolver, TheResultsOfALookUpCanBeUsedInTheNextTurn) {
  boost::asio::io_context io;
  std::optional<Addresses> result;
  auto resolver = std::make_unique<Resolver>(io);
  const auto handle = resolver->look_up("no-such-host.invalid", [&](const Addresses& found) {
    resolver.reset();  // who is told may drop it
    result = found;
  });
  io.run_for(60s);
  ASSERT_TRUE(result);
  EXPECT_THAT(result->reason, HasSubstr("no-such-host.invalid"));
}

}  // namespace
}  // namespace genapp::monitor
