#include "engine/server/server_setting.h"

#include "gtest/gtest.h"

namespace walferry {
namespace {

TEST(ServerSettingSql, NamesRoleDatabaseOrBoth) {
  EXPECT_EQ(AlterSql({.role = "a\"b", .name = "work_mem", .value = "1MB"}),
            "ALTER ROLE \"a\"\"b\" SET \"work_mem\" TO '1MB'");
  EXPECT_EQ(AlterSql({.database = "d", .name = "role", .value = "it's"}),
            "ALTER DATABASE \"d\" SET \"role\" TO 'it''s'");
  EXPECT_EQ(
      AlterSql({.role = "r", .database = "d", .name = "x.y", .value = "a\\b"}),
      "ALTER ROLE \"r\" IN DATABASE \"d\" SET \"x.y\" TO E'a\\\\b'");
  EXPECT_EQ(AlterSql({.name = "work_mem", .value = ""}),
            "ALTER ROLE ALL SET \"work_mem\" TO ''");
}

TEST(ServerSettingSql, GivesListsAsLists) {
  const auto value = [](const std::string& text) {
    const std::string sql =
        AlterSql({.role = "r", .name = "Search_Path", .value = text});
    return sql.substr(sql.find(" TO ") + 4);
  };
  EXPECT_EQ(value("\"$user\", public"), "'$user', 'public'");
  EXPECT_EQ(value("\"a, b\",c"), "'a, b', 'c'");
  EXPECT_EQ(value("\"say \"\"hi\"\"\""), "'say \"hi\"'");
  EXPECT_EQ(value("\"\""), "''");
  EXPECT_EQ(value("it's"), "'it''s'");
  // Other lists are kept as one text, and taken as one.
  EXPECT_EQ(AlterSql({.role = "r", .name = "datestyle", .value = "ISO, DMY"}),
            "ALTER ROLE \"r\" SET \"datestyle\" TO 'ISO, DMY'");
}

}  // namespace
}  // namespace walferry
