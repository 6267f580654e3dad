#include "apply/row_array.h"

#include "protocol/byte_writer.h"

namespace walferry {
namespace {

constexpr uint32_t kNullSize = 0xffffffff;

// array_recv: dimensions, flags, element type, then length and lower bound of
// each dimension.
constexpr size_t kCountOffset = 12;

void OverwriteUint32(uint32_t value, size_t offset, std::string* bytes) {
  for (size_t byte = 0; byte < sizeof(value); ++byte) {
    (*bytes)[offset + byte] = static_cast<char>(value >> (24 - 8 * byte));
  }
}

void AppendBytes(absl::string_view bytes, std::string* out) {
  out->append(bytes.data(), bytes.size());
}

// `quote` and `backslash` are what these two become.
void AppendEscaped(absl::string_view value, absl::string_view quote,
                   absl::string_view backslash, std::string* out) {
  size_t begin = 0;
  for (size_t at = 0; at < value.size(); ++at) {
    if (value[at] != '"' && value[at] != '\\') continue;
    AppendBytes(value.substr(begin, at - begin), out);
    AppendBytes(value[at] == '"' ? quote : backslash, out);
    begin = at + 1;
  }
  AppendBytes(value.substr(begin), out);
}

// Within a quoted element of an array.
void AppendArrayElement(absl::string_view value, std::string* out) {
  out->push_back('"');
  AppendEscaped(value, "\\\"", "\\\\", out);
  out->push_back('"');
}

// record_in takes it as it stands, and so does array_in within quotes.
bool IsPlainField(absl::string_view value) {
  if (value.empty()) return false;
  for (const char c : value) {
    if (c == '"' || c == '\\' || c == '(' || c == ')' || c == ',') return false;
  }
  return true;
}

// A field of a row that is itself a quoted element of an array: its quotes and
// backslashes are escaped for both.
void AppendRowField(absl::string_view value, std::string* out) {
  if (IsPlainField(value)) {
    AppendBytes(value, out);
    return;
  }
  AppendBytes("\\\"", out);
  AppendEscaped(value, "\\\\\\\"", "\\\\\\\\", out);
  AppendBytes("\\\"", out);
}

}  // namespace

const Column* FirstValue(absl::Span<const Column> columns) {
  for (const Column& column : columns) {
    if (column.has_value()) return &column;
  }
  return nullptr;
}

RowArray::RowArray(const TableMapping& table, bool binary, bool keys_only)
    : binary_(binary),
      keys_only_(keys_only),
      element_oid_(keys_only
                       ? table.TargetOf(table.lookup.front()).base_type_oid
                       : table.target.row_type_oid) {
  for (const TargetColumn& column : table.target.columns) {
    fields_.push_back(
        {.source = kNone, .type_oid = column.type_oid, .key = column.key});
  }
  for (size_t column = 0; column < table.target_columns.size(); ++column) {
    Field& field = fields_[table.target_columns[column]];
    if (!table.TargetOf(column).generated) field.source = column;
  }
  if (keys_only) fields_ = {fields_[table.target_columns[table.lookup[0]]]};
  Clear();
}

RowArray RowArray::OfRows(const TableMapping& table, bool binary) {
  return RowArray(table, binary, /*keys_only=*/false);
}

RowArray RowArray::OfKeys(const TableMapping& table, bool binary) {
  return RowArray(table, binary, /*keys_only=*/true);
}

void RowArray::Clear() {
  bytes_.clear();
  count_ = 0;
  if (!binary_) {
    bytes_.push_back('{');
    return;
  }
  AppendBigEndian(uint32_t{1}, &bytes_);
  AppendBigEndian(uint32_t{0}, &bytes_);
  AppendBigEndian(element_oid_, &bytes_);
  AppendBigEndian(uint32_t{0}, &bytes_);
  AppendBigEndian(uint32_t{1}, &bytes_);
}

const Column* RowArray::ValueOf(const Field& field,
                                absl::Span<const Column> key,
                                absl::Span<const Column> row) const {
  if (field.source == kNone) return nullptr;
  if (field.key) return &key[field.source];
  return row.empty() ? nullptr : &row[field.source];
}

bool RowArray::Add(absl::Span<const Column> key, absl::Span<const Column> row) {
  if (!binary_ && count_ > 0) bytes_.push_back(',');
  ++count_;
  if (keys_only_) return AddKey(key[fields_.front().source]);
  return binary_ ? AddBinaryRow(key, row) : AddTextRow(key, row);
}

bool RowArray::AddKey(const Column& value) {
  if (value.kind != (binary_ ? ColumnKind::kBinary : ColumnKind::kText)) {
    return false;
  }
  if (binary_) {
    AppendBigEndian(static_cast<uint32_t>(value.value.size()), &bytes_);
    AppendBytes(value.value, &bytes_);
  } else {
    AppendArrayElement(value.value, &bytes_);
  }
  return true;
}

bool RowArray::AddTextRow(absl::Span<const Column> key,
                          absl::Span<const Column> row) {
  AppendBytes("\"(", &bytes_);
  bool first = true;
  for (const Field& field : fields_) {
    if (!first) bytes_.push_back(',');
    first = false;
    const Column* column = ValueOf(field, key, row);
    if (column == nullptr || !column->has_value()) continue;
    if (column->kind != ColumnKind::kText) return false;
    AppendRowField(column->value, &bytes_);
  }
  AppendBytes(")\"", &bytes_);
  return true;
}

bool RowArray::AddBinaryRow(absl::Span<const Column> key,
                            absl::Span<const Column> row) {
  const size_t size_offset = bytes_.size();
  AppendBigEndian(uint32_t{0}, &bytes_);
  AppendBigEndian(static_cast<uint32_t>(fields_.size()), &bytes_);
  for (const Field& field : fields_) {
    AppendBigEndian(field.type_oid, &bytes_);
    const Column* column = ValueOf(field, key, row);
    if (column == nullptr || !column->has_value()) {
      AppendBigEndian(kNullSize, &bytes_);
      continue;
    }
    if (column->kind != ColumnKind::kBinary) return false;
    AppendBigEndian(static_cast<uint32_t>(column->value.size()), &bytes_);
    AppendBytes(column->value, &bytes_);
  }
  OverwriteUint32(
      static_cast<uint32_t>(bytes_.size() - size_offset - sizeof(uint32_t)),
      size_offset, &bytes_);
  return true;
}

PgParam RowArray::Finish() {
  if (binary_) {
    OverwriteUint32(static_cast<uint32_t>(count_), kCountOffset, &bytes_);
  } else {
    bytes_.push_back('}');
  }
  return {.data = bytes_.c_str(),
          .size = static_cast<int>(bytes_.size()),
          .binary = binary_};
}

}  // namespace walferry
