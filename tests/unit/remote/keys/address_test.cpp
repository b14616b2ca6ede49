#include "remote/keys/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace genapp::remote::keys {
namespace {

TEST(KeysAddress, NamesAndAddressesAreTakenInTheirPlainForm) {
  EXPECT_EQ(parse_address("guest1"), (Address{false, "guest1"}));
  EXPECT_EQ(parse_address("guest-1.example.org."), (Address{false, "guest-1.example.org"}));
  EXPECT_EQ(parse_address("a_b"), (Address{false, "a_b"}));
  EXPECT_EQ(parse_address("192.0.2.1"), (Address{true, "192.0.2.1"}));
  EXPECT_EQ(parse_address("2001:DB8:0::1"), (Address{true, "2001:db8::1"}));
  EXPECT_EQ(parse_address(std::string(63, 'a') + ".b").text.size(), 65u);
}

TEST(KeysAddress, WhatIsNeitherIsRefused) {
  for (const std::string& text : {std::string(),
                                  std::string("."),
                                  std::string(".a"),
                                  std::string("a..b"),
                                  std::string("*.example.org"),
                                  std::string("a,IP:1.2.3.4"),
                                  std::string("-a"),
                                  std::string("a-"),
                                  std::string("a b"),
                                  std::string("a\nb"),
                                  std::string("a\0b", 3),
                                  std::string("1.2.3.4\0x", 9),
                                  std::string("10.0.0.300"),
                                  std::string("1.2.3"),
                                  std::string("[::1]"),
                                  std::string("fe80::1%eth0"),
                                  std::string("a:b"),
                                  std::string("\xc3\xa4"),
                                  std::string(64, 'a'),
                                  std::string(254, 'a'),
                                  "a." + std::string(252, 'b')}) {
    try {
      parse_address(text);
      ADD_FAILURE() << testing::PrintToString(text);
    } catch (const common::Error& error) {
      EXPECT_EQ(error.exit_code(), common::ExitCode::usage);
    }
  }
}

TEST(KeysAddress, EachIsNamedOnce) {
  EXPECT_EQ(alternative_names_text({}), "");
  EXPECT_EQ(alternative_names_text({{false, "a"}, {true, "::1"}, {false, "a"}, {false, "b"}}),
            "DNS:a,IP:::1,DNS:b");
}

}  // namespace
}  // namespace genapp::remote::keys
