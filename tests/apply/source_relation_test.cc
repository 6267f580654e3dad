#include "apply/source_relation.h"

#include <variant>

#include "gtest/gtest.h"
#include "protocol/pgoutput.h"
#include "tests/testing/wire.h"

namespace walferry {
namespace {

SourceRelation Decode(const std::string& payload) {
  return SourceRelation::From(std::get<Relation>(*DecodeMessage(payload)));
}

TEST(SourceRelationTest, CopiesTheMessage) {
  SourceRelation relation;
  {
    const std::string payload = Wire('R')
                                    .Int32(16524)
                                    .String("public")
                                    .String("t")
                                    .Byte('i')
                                    .Int16(2)
                                    .Byte('\1')
                                    .String("id")
                                    .Int32(23)
                                    .Int32(0xffffffff)
                                    .Byte('\0')
                                    .String("v")
                                    .Int32(1043)
                                    .Int32(7);
    relation = Decode(payload);
  }
  EXPECT_EQ(
      relation,
      (SourceRelation{
          .id = 16524,
          .name = {"public", "t"},
          .identity = ReplicaIdentity::kIndex,
          .columns = {
              {.name = "id", .key = true, .type_oid = 23, .type_modifier = -1},
              {.name = "v", .type_oid = 1043, .type_modifier = 7}}}));
}

TEST(SourceRelationTest, TheEmptySchemaIsPgCatalog) {
  const SourceRelation relation =
      Decode(Wire('R').Int32(1).String("").String("pg_x").Byte('d').Int16(0));
  EXPECT_EQ(relation.name, (QualifiedName{"pg_catalog", "pg_x"}));
}

}  // namespace
}  // namespace walferry
