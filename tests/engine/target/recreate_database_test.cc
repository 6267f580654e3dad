#include "engine/target/recreate_database.h"

#include <string>

#include "gtest/gtest.h"

namespace walferry {
namespace {

TEST(AsideName, FitsIntoANameAndCutsNoCharacter) {
  EXPECT_EQ(AsideName("shop"), "walferry_old_shop");
  EXPECT_EQ(AsideName(std::string(63, 'a')),
            "walferry_old_" + std::string(50, 'a'));
  // The 50th byte is the first of a character of two.
  EXPECT_EQ(AsideName(std::string(49, 'a') + "\xc3\xa9" + "b"),
            "walferry_old_" + std::string(49, 'a'));
}

TEST(FreshName, TellsLongNamesApart) {
  EXPECT_EQ(FreshName("shop", "16388"), "walferry_new_16388_shop");
  EXPECT_EQ(FreshName(std::string(63, 'a'), "16388"),
            "walferry_new_16388_" + std::string(44, 'a'));
}

}  // namespace
}  // namespace walferry
