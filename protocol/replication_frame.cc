#include "protocol/replication_frame.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "protocol/byte_cursor.h"
#include "protocol/byte_writer.h"
#include "protocol/tag_text.h"

namespace walferry {
namespace {

absl::StatusOr<Frame> DecodeXLogData(ByteCursor in) {
  XLogData data{.data_start = Lsn(in.ReadUint64()),
                .wal_end = Lsn(in.ReadUint64()),
                .send_time = in.ReadInt64(),
                .payload = {}};
  data.payload = in.ReadBytes(in.rest().size());
  if (!in.finished()) return in.Finish("XLogData");
  return data;
}

absl::StatusOr<Frame> DecodeKeepalive(ByteCursor in) {
  Keepalive keepalive{.wal_end = Lsn(in.ReadUint64()),
                      .send_time = in.ReadInt64(),
                      .reply_requested = false};
  keepalive.reply_requested = in.ReadBool();
  if (!in.finished()) return in.Finish("Keepalive");
  return keepalive;
}

}  // namespace

absl::StatusOr<Frame> DecodeFrame(absl::string_view bytes) {
  if (bytes.empty()) return absl::DataLossError("empty replication frame");
  ByteCursor in(bytes);
  const char type = static_cast<char>(in.ReadUint8());
  if (type == 'w') return DecodeXLogData(in);
  if (type == 'k') return DecodeKeepalive(in);
  return absl::DataLossError(
      absl::StrCat("unknown replication frame type ", TagText(type)));
}

std::string BuildStandbyStatus(const StandbyStatus& status) {
  std::string out = "r";
  out.reserve(34);
  AppendBigEndian(status.write.value(), &out);
  AppendBigEndian(status.flush.value(), &out);
  AppendBigEndian(status.apply.value(), &out);
  AppendBigEndian(static_cast<uint64_t>(status.client_time), &out);
  out.push_back(status.reply_requested ? 1 : 0);
  return out;
}

}  // namespace walferry
