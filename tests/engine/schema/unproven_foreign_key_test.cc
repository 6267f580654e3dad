#include "engine/schema/unproven_foreign_key.h"

#include <string>

#include "gtest/gtest.h"

namespace walferry {
namespace {

TEST(UnprovenForeignKey, IsMadeNotValidAndProvenLater) {
  const auto key = WithoutProof(
      "SET default_tablespace = '';\nALTER TABLE ONLY \"od.d\"\"\ns\".\"a "
      "t\"\n    ADD CONSTRAINT \"c FOREIGN KEY (\" FOREIGN KEY (a) REFERENCES "
      "s.t(id) ON DELETE CASCADE DEFERRABLE;\n\n");
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(
      key->create,
      "SET default_tablespace = '';\nALTER TABLE ONLY \"od.d\"\"\ns\".\"a "
      "t\"\n    ADD CONSTRAINT \"c FOREIGN KEY (\" FOREIGN KEY (a) "
      "REFERENCES s.t(id) ON DELETE CASCADE DEFERRABLE NOT VALID;");
  EXPECT_EQ(key->validate,
            "ALTER TABLE ONLY \"od.d\"\"\ns\".\"a t\" VALIDATE CONSTRAINT \"c "
            "FOREIGN KEY (\";");
}

TEST(UnprovenForeignKey, StaysUnprovenAsOnTheSource) {
  for (const std::string end : {" NOT VALID;", " NOT ENFORCED;\n"}) {
    const std::string sql =
        "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES "
        "s.u(id)" +
        end;
    const auto key = WithoutProof(sql);
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(key->create, sql);
    EXPECT_EQ(key->validate, "");
  }
}

TEST(UnprovenForeignKey, IsNothingElse) {
  for (const char* sql :
       {"",
        "ALTER TABLE s.t\n    ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u;",
        "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT c CHECK (a > 0);",
        "ALTER TABLE ONLY \"s.t",
        "ALTER TABLE ONLY t ADD CONSTRAINT c FOREIGN "
        "KEY (a) REFERENCES u;",
        "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES "
        "s.u(id)"}) {
    EXPECT_FALSE(WithoutProof(sql).has_value()) << sql;
  }
}

}  // namespace
}  // namespace walferry
