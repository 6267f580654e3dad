#include "engine/archive/archive_contents.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

constexpr char kScript[] =
    "SET client_encoding = 'LATIN1';\n"
    "CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public;\n"
    "COMMENT ON EXTENSION hstore IS 'x';\n"
    "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\" WITH SCHEMA s;\n"
    "COPY public.t (a) FROM stdin;\n"
    "CREATE EXTENSION IF NOT EXISTS no_extension WITH SCHEMA s;\n";

TEST(ExtensionsOfScript, AreThoseBeforeTheFirstRows) {
  EXPECT_THAT(ExtensionsOfScript(kScript), ElementsAre("hstore", "uuid-ossp"));
}

TEST(EncodingOfScript, IsTheOneThatItSets) {
  EXPECT_EQ(EncodingOfScript(kScript), "LATIN1");
  EXPECT_EQ(EncodingOfScript("SELECT 1;\n"), "");
}

}  // namespace
}  // namespace walferry
