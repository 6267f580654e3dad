#include "tests/cluster/schema_fixture.h"

namespace walferry {
namespace {

class SchemaExistingTest : public SchemaTest {};

TEST_F(SchemaExistingTest, IsUsedAndGetsItsOwnerRightsAndComment) {
  OnBoth("DROP ROLE IF EXISTS keeper; CREATE ROLE keeper");
  OnSource(
      "CREATE SCHEMA \"App\" AUTHORIZATION keeper;"
      "GRANT USAGE ON SCHEMA \"App\" TO PUBLIC;"
      "COMMENT ON SCHEMA \"App\" IS 'mine';"
      "CREATE TABLE \"App\".t (id int PRIMARY KEY)");
  OnTarget("CREATE SCHEMA \"App\"");
  ASSERT_OK_AND_ASSIGN(SchemaRestore restore, Prepare(RestoreOptions()));
  ASSERT_OK(RestoreAll(restore));
  ExpectEqualSchemas();
}

}  // namespace
}  // namespace walferry
