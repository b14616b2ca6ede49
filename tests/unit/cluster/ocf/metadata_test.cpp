#include "cluster/ocf/metadata.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "cluster/ocf/parameters.hpp"
#include "tests/support/text.hpp"

namespace genapp::ocf {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// That it is valid is for tests/e2e/ocf_test.cpp: xmllint knows.
TEST(OcfMetadata, HasEveryParameterAndAction) {
  for (const Kind kind : {Kind::lbhc, Kind::script}) {
    const std::string xml = metadata(kind);
    EXPECT_THAT(xml, StartsWith("<?xml version=\"1.0\"?>\n"));
    EXPECT_THAT(xml, HasSubstr("<version>1.1</version>"));
    for (const Parameter& parameter : parameters_of(kind)) {
      EXPECT_THAT(xml, HasSubstr("<parameter name=\"" + std::string(parameter.name) + "\" unique"));
    }
    for (const char* action :
         {"start", "stop", "monitor", "status", "reload-agent", "validate-all", "meta-data"}) {
      EXPECT_THAT(xml, HasSubstr("<action name=\"" + std::string(action) + "\" timeout="))
          << action;
    }
    EXPECT_THAT(xml, testing::Not(HasSubstr("notify")));
  }
}

TEST(OcfMetadata, TellsWhatIsRequiredAndWhatCanBeReloaded) {
  const std::string xml = metadata(Kind::lbhc);
  EXPECT_THAT(xml, HasSubstr("name=\"port\" unique=\"0\" required=\"1\" reloadable=\"0\""));
  EXPECT_THAT(xml, HasSubstr("name=\"lease\" unique=\"0\" required=\"0\" reloadable=\"1\""));
  EXPECT_THAT(xml, HasSubstr("<content type=\"boolean\" default=\"false\"/>"));
}

TEST(OcfMetadata, EscapesItsTexts) {
  const std::string xml = metadata(Kind::script);
  EXPECT_THAT(xml, HasSubstr("[&quot;/path/start&quot;, &quot;argument&quot;]"));
  EXPECT_EQ(tests::count_of(xml, "<parameter "), parameters_of(Kind::script).size());
}

}  // namespace
}  // namespace genapp::ocf
