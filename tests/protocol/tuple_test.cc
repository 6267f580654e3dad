#include "protocol/tuple.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/testing/message_text.h"
#include "tests/testing/wire.h"

namespace walferry {
namespace {

TEST(TupleView, IsEmptyByDefault) {
  const TupleView row;
  EXPECT_EQ(row.size(), 0);
  EXPECT_TRUE(row.empty());
  EXPECT_EQ(row.bytes(), "");
  EXPECT_TRUE(TupleView::Walker(row).done());
}

TEST(TupleView, StopsBehindItsLastColumn) {
  const std::string bytes = Wire().Int16(2).Text("a").Null().Bytes("rest");
  ByteCursor in(bytes);
  const TupleView row = TupleView::Read(in);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.rest(), "rest");
  EXPECT_EQ(row.size(), 2);
  EXPECT_EQ(row.bytes(), Wire().Text("a").Null().str());
  EXPECT_EQ(ToText(row), "(t'a', n)");
}

TEST(TupleView, HoldsAsManyColumnsAsTheCountCanSay) {
  Wire wire = Wire().Int16(0xffff);
  for (int column = 0; column < 0xffff; ++column) wire.Null();
  ByteCursor in(wire.str());
  EXPECT_EQ(TupleView::Read(in).size(), 0xffff);
  EXPECT_TRUE(in.finished());
}

TEST(TupleView, HoldsLargeValues) {
  const std::string document(1 << 20, 'x');
  const std::string bytes = Wire().Int16(2).Text(document).Binary("\1");
  ByteCursor in(bytes);
  const TupleView row = TupleView::Read(in);
  ASSERT_TRUE(in.finished());
  TupleView::Walker walk(row);
  EXPECT_EQ(walk.Next().value, document);
  EXPECT_EQ(walk.Next().value, "\1");
  EXPECT_TRUE(walk.done());
}

TEST(TupleView, HasNoColumnsAfterAFailure) {
  const std::string bytes = Wire().Int16(2).Text("a").Byte('x');
  ByteCursor in(bytes);
  const TupleView row = TupleView::Read(in);
  EXPECT_FALSE(in.ok());
  EXPECT_TRUE(row.empty());
  EXPECT_TRUE(TupleView::Walker(row).done());
}

TEST(TupleView, MayHaveUnchangedColumnsOnlyWhenNew) {
  const std::string bytes = Wire().Int16(1).Unchanged();
  ByteCursor as_new(bytes);
  EXPECT_EQ(ToText(TupleView::Read(as_new)), "(u)");
  EXPECT_TRUE(as_new.finished());
  ByteCursor as_old(bytes);
  TupleView::Read(as_old, RowRole::kOld);
  EXPECT_EQ(as_old.Finish("Row").message(),
            "Row: unchanged column in an old row at offset 2 of 3");
}

}  // namespace
}  // namespace walferry
