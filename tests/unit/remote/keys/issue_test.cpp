#include "remote/keys/issue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "remote/certificate.hpp"
#include "remote/private_key.hpp"

namespace genapp::remote::keys {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::StartsWith;

CertificatePtr certificate_of(const Issue& made) {
  return std::move(parse_certificates(made.certificate, "test").front());
}

class KeysIssue : public testing::Test {
 protected:
  CertificatePtr leaf(Kind kind, const std::vector<Address>& addresses, int days) {
    return certificate_of(
        issue(kind, "name1", addresses, {now_, days}, authority_.get(), key_.get()));
  }

  const std::time_t now_ = std::time(nullptr);
  const Issue made_ = make_authority("node1", {now_, 1000});
  const CertificatePtr authority_ = certificate_of(made_);
  const PrivateKeyPtr key_ = parse_private_key(made_.key, "test");
};

TEST_F(KeysIssue, AnAuthorityIsToldFromItsSuccessor) {
  const std::string name = common_name(authority_.get());
  EXPECT_THAT(name, StartsWith("node1 "));
  EXPECT_EQ(authority_base_name(name), "node1");
  EXPECT_NE(common_name(certificate_of(make_authority("node1", {now_, 1000})).get()), name);
  EXPECT_EQ(::X509_check_ca(authority_.get()), 1);
  EXPECT_EQ(::X509_get_pathlen(authority_.get()), 0);
}

TEST_F(KeysIssue, EachKindIsForItsOwnSideAlone) {
  const CertificatePtr host = leaf(Kind::host, {}, 100);
  EXPECT_TRUE(may_be_client(host.get()));
  EXPECT_FALSE(may_be_server(host.get()));
  EXPECT_THAT(alternative_names(host.get()), ElementsAre());
  const CertificatePtr guest = leaf(Kind::guest, {{false, "g1"}, {true, "::1"}}, 100);
  EXPECT_FALSE(may_be_client(guest.get()));
  EXPECT_TRUE(may_be_server(guest.get()));
  EXPECT_THAT(alternative_names(guest.get()), ElementsAre("DNS:g1", "IP:::1"));
  for (const CertificatePtr& one : {std::cref(host), std::cref(guest)}) {
    EXPECT_EQ(::X509_check_ca(one.get()), 0);
    EXPECT_EQ(common_name(one.get()), "name1");
    EXPECT_EQ(issuer_name(one.get()), common_name(authority_.get()));
    EXPECT_EQ(::X509_verify(one.get(), key_.get()), 1);
  }
}

TEST_F(KeysIssue, SerialsAreLongAndDiffer) {
  const CertificatePtr one = leaf(Kind::host, {}, 100);
  const CertificatePtr two = leaf(Kind::host, {}, 100);
  EXPECT_NE(serial_text(one.get()), serial_text(two.get()));
  // 128 random bits: the first 32 of all three are 0 once in 2^96.
  const auto digits = [](const CertificatePtr& of) { return serial_text(of.get()).size(); };
  EXPECT_GT(std::max({digits(one), digits(two), digits(authority_)}), 24u);
}

TEST_F(KeysIssue, IsValidFromTheDayBeforeUntilTheDaysAreOver) {
  const CertificatePtr host = leaf(Kind::host, {}, 100);
  EXPECT_EQ(::X509_cmp_time(::X509_get0_notBefore(host.get()), nullptr), -1);
  std::time_t day_before = now_ - 24 * 60 * 60 + 1;
  EXPECT_EQ(::X509_cmp_time(::X509_get0_notBefore(host.get()), &day_before), -1);
  EXPECT_THAT(days_left(host.get()), AnyOf(99, 100));
}

TEST_F(KeysIssue, IsNotValidForLongerThanTheAuthority) {
  EXPECT_EQ(valid_until(leaf(Kind::host, {}, 1001).get()), valid_until(authority_.get()));
  EXPECT_LT(valid_until(leaf(Kind::host, {}, 999).get()), valid_until(authority_.get()));
}

// Beyond 2049 the times have another form.
TEST_F(KeysIssue, ACenturyIsPossible) {
  const CertificatePtr long_lived = certificate_of(make_authority("node1", {now_, 36500}));
  EXPECT_THAT(days_left(long_lived.get()), AnyOf(36499, 36500));
}

}  // namespace
}  // namespace genapp::remote::keys
