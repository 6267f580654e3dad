// Input: one byte for the role of the row, then TupleData.

#include "protocol/tuple.h"

#include <string>

#include "protocol/byte_writer.h"
#include "tests/fuzz/invariant.h"

namespace walferry {
namespace {

std::string Rewritten(const TupleView& row, absl::string_view whole) {
  std::string out;
  for (TupleView::Walker walk(row); !walk.done();) {
    const Column column = walk.Next();
    RequireInside(column.value, whole);
    out.push_back(static_cast<char>(column.kind));
    if (column.kind == ColumnKind::kNull ||
        column.kind == ColumnKind::kUnchanged) {
      Require(column.value.empty(), "only t and b have a value");
      continue;
    }
    AppendBigEndian(static_cast<uint32_t>(column.value.size()), &out);
    out.append(column.value.data(), column.value.size());
  }
  return out;
}

void Check(absl::string_view bytes, RowRole role) {
  ByteCursor in(bytes);
  const TupleView row = TupleView::Read(in, role);
  if (!in.ok()) {
    Require(row.empty(), "a row that failed has no columns");
    return;
  }
  RequireInside(row.bytes(), bytes);
  RequireInside(in.rest(), bytes);
  Require(Rewritten(row, bytes) == row.bytes(), "a walk sees every byte");
  Require(2 + row.bytes().size() + in.rest().size() == bytes.size(),
          "what is not the row is the rest");
}

}  // namespace
}  // namespace walferry

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  walferry::Check(
      walferry::BytesOf(data + 1, size - 1),
      data[0] % 2 == 0 ? walferry::RowRole::kNew : walferry::RowRole::kOld);
  return 0;
}
