#include "apply/copy_rows.h"

#include <cstdint>
#include <optional>

#include "protocol/byte_writer.h"
#include "protocol/copy_binary.h"
#include "protocol/copy_text.h"

namespace walferry {

CopyRows::CopyRows(const TableMapping& table, bool binary)
    : binary_(binary), columns_(table.FilledColumns()) {
  if (binary_) AppendCopyBinaryHeader(&bytes_);
}

bool CopyRows::Add(absl::Span<const Column> row) {
  return binary_ ? AddBinary(row) : AddText(row);
}

void CopyRows::End() {
  if (binary_) AppendCopyBinaryTrailer(&bytes_);
}

bool CopyRows::AddBinary(absl::Span<const Column> row) {
  constexpr uint32_t kNull = 0xffffffff;
  AppendBigEndian(static_cast<uint16_t>(columns_.size()), &bytes_);
  for (const size_t index : columns_) {
    const Column& column = row[index];
    if (column.kind == ColumnKind::kNull) {
      AppendBigEndian(kNull, &bytes_);
      continue;
    }
    if (column.kind != ColumnKind::kBinary) return false;
    AppendBigEndian(static_cast<uint32_t>(column.value.size()), &bytes_);
    bytes_.append(column.value.data(), column.value.size());
  }
  return true;
}

bool CopyRows::AddText(absl::Span<const Column> row) {
  bool first = true;
  for (const size_t index : columns_) {
    const Column& column = row[index];
    if (!first) bytes_.push_back('\t');
    first = false;
    if (column.kind == ColumnKind::kNull) {
      AppendCopyText(std::nullopt, &bytes_);
    } else if (column.kind == ColumnKind::kText) {
      AppendCopyText(column.value, &bytes_);
    } else {
      return false;
    }
  }
  bytes_.push_back('\n');
  return true;
}

}  // namespace walferry
