#include "protocol/tuple.h"

namespace walferry {
namespace {

void ReadColumn(ByteCursor& in, RowRole role) {
  switch (static_cast<ColumnKind>(in.ReadUint8())) {
    case ColumnKind::kNull:
      return;
    case ColumnKind::kUnchanged:
      if (role == RowRole::kOld) in.Fail("unchanged column in an old row", 1);
      return;
    case ColumnKind::kText:
    case ColumnKind::kBinary:
      in.ReadBytes(in.ReadUint32());
      return;
  }
  in.Fail("unknown column kind", 1);
}

}  // namespace

TupleView TupleView::Read(ByteCursor& in, RowRole role) {
  TupleView tuple;
  const uint16_t size = in.ReadUint16();
  const absl::string_view start = in.rest();
  for (uint16_t column = 0; column < size && in.ok(); ++column) {
    ReadColumn(in, role);
  }
  // A walk over a tuple trusts its size: one that failed has no columns.
  if (!in.ok()) return tuple;
  tuple.size_ = size;
  tuple.bytes_ = start.substr(0, start.size() - in.rest().size());
  return tuple;
}

}  // namespace walferry
