#include "tests/testing/backend_message.h"

#include "tests/testing/wire.h"

namespace walferry {
namespace {

constexpr uint32_t kTextOid = 25;

// The fields of an ErrorResponse or a NoticeResponse.
std::string Fields(absl::string_view severity, absl::string_view sqlstate,
                   absl::string_view message) {
  return Wire()
      .Byte('S')
      .String(severity)
      .Byte('V')
      .String(severity)
      .Byte('C')
      .String(sqlstate)
      .Byte('M')
      .String(message)
      .Byte('\0');
}

}  // namespace

BackendMessages& BackendMessages::AuthenticationOk() {
  return Message('R', Wire().Int32(0).str());
}

BackendMessages& BackendMessages::AuthenticationCleartextPassword() {
  return Message('R', Wire().Int32(3).str());
}

BackendMessages& BackendMessages::ParameterStatus(absl::string_view name,
                                                  absl::string_view value) {
  return Message('S', Wire().String(name).String(value).str());
}

BackendMessages& BackendMessages::BackendKeyData(uint32_t pid, uint32_t key) {
  return Message('K', Wire().Int32(pid).Int32(key).str());
}

BackendMessages& BackendMessages::ReadyForQuery(char status) {
  return Message('Z', Wire().Byte(status).str());
}

BackendMessages& BackendMessages::RowDescription(
    const std::vector<std::string>& columns) {
  Wire body;
  body.Int16(static_cast<uint16_t>(columns.size()));
  for (const std::string& column : columns) {
    body.String(column)
        .Int32(0)  // No table,
        .Int16(0)  // no column of one.
        .Int32(kTextOid)
        .Int16(0xffff)      // Variable length,
        .Int32(0xffffffff)  // no modifier,
        .Int16(0);          // text format.
  }
  return Message('T', body.str());
}

BackendMessages& BackendMessages::DataRow(
    const std::vector<std::optional<std::string>>& values) {
  Wire body;
  body.Int16(static_cast<uint16_t>(values.size()));
  for (const std::optional<std::string>& value : values) {
    if (value.has_value()) {
      body.Counted(*value);
    } else {
      body.Int32(0xffffffff);
    }
  }
  return Message('D', body.str());
}

BackendMessages& BackendMessages::CommandComplete(absl::string_view tag) {
  return Message('C', Wire().String(tag).str());
}

BackendMessages& BackendMessages::ErrorResponse(absl::string_view sqlstate,
                                                absl::string_view message,
                                                absl::string_view severity) {
  return Message('E', Fields(severity, sqlstate, message));
}

BackendMessages& BackendMessages::NoticeResponse(absl::string_view message) {
  return Message('N', Fields("NOTICE", "00000", message));
}

BackendMessages& BackendMessages::ParseComplete() { return Message('1', ""); }

BackendMessages& BackendMessages::BindComplete() { return Message('2', ""); }

BackendMessages& BackendMessages::NoData() { return Message('n', ""); }

BackendMessages& BackendMessages::CopyInResponse(int columns) {
  return CopyResponse('G', columns);
}

BackendMessages& BackendMessages::CopyOutResponse(int columns) {
  return CopyResponse('H', columns);
}

BackendMessages& BackendMessages::CopyBothResponse() {
  return CopyResponse('W', 0);
}

BackendMessages& BackendMessages::CopyResponse(char type, int columns) {
  Wire body;
  body.Byte('\0').Int16(static_cast<uint16_t>(columns));
  for (int column = 0; column < columns; ++column) body.Int16(0);
  return Message(type, body.str());
}

BackendMessages& BackendMessages::CopyData(absl::string_view bytes) {
  return Message('d', bytes);
}

BackendMessages& BackendMessages::CopyDone() { return Message('c', ""); }

BackendMessages& BackendMessages::XLogData(uint64_t data_start,
                                           uint64_t wal_end, int64_t send_time,
                                           absl::string_view payload) {
  return CopyData(Wire('w')
                      .Int64(data_start)
                      .Int64(wal_end)
                      .Int64(static_cast<uint64_t>(send_time))
                      .Bytes(payload)
                      .str());
}

BackendMessages& BackendMessages::Keepalive(uint64_t wal_end, int64_t send_time,
                                            bool reply_requested) {
  return CopyData(Wire('k')
                      .Int64(wal_end)
                      .Int64(static_cast<uint64_t>(send_time))
                      .Byte(reply_requested ? '\1' : '\0')
                      .str());
}

BackendMessages& BackendMessages::Message(char type, absl::string_view body) {
  constexpr uint32_t kLengthItself = 4;
  return Raw(Wire(type)
                 .Int32(static_cast<uint32_t>(body.size()) + kLengthItself)
                 .Bytes(body)
                 .str());
}

BackendMessages& BackendMessages::Raw(absl::string_view bytes) {
  bytes_.append(bytes.data(), bytes.size());
  return *this;
}

}  // namespace walferry
