#include "apply/portable_types.h"

#include "gtest/gtest.h"

namespace walferry {
namespace {

TEST(PortableTypesTest, TypesAndTheirArrays) {
  for (const uint32_t oid : {16u, 1000u, 23u, 1007u, 1700u, 1231u, 3802u, 3807u,
                             3904u, 3905u, 4451u, 6150u, 2950u, 2951u}) {
    EXPECT_TRUE(IsPortableType(oid)) << oid;
  }
}

TEST(PortableTypesTest, NotWhatDependsOnMore) {
  // No type, "char", name, tid, int2vector, oidvector, xml, money, interval and
  // its array, aclitem, regproc, regclass, anyarray, record, and the first of a
  // user.
  for (const uint32_t oid :
       {0u, 18u, 1002u, 19u, 1003u, 27u, 22u, 30u, 142u, 790u, 1186u, 1187u,
        1033u, 24u, 2205u, 2277u, 2249u, 16384u}) {
    EXPECT_FALSE(IsPortableType(oid)) << oid;
  }
}

}  // namespace
}  // namespace walferry
