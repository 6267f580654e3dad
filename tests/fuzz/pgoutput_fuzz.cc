// Input: one byte for the context, then a message.

#include "protocol/pgoutput.h"

#include <string>
#include <variant>

#include "tests/fuzz/invariant.h"

namespace walferry {
namespace {

// Reads everything that a message gives access to.
struct Walk {
  absl::string_view payload;

  void operator()(const Begin&) const {}
  void operator()(const Commit&) const {}
  void operator()(const Origin& m) const { RequireInside(m.name, payload); }
  void operator()(const Relation& m) const {
    RequireInside(m.schema, payload);
    RequireInside(m.name, payload);
    for (RelationColumns::Walker walk(m.columns); !walk.done();) {
      RequireInside(walk.Next().name, payload);
    }
  }
  void operator()(const Type& m) const {
    RequireInside(m.schema, payload);
    RequireInside(m.name, payload);
  }
  void operator()(const Insert& m) const { Row(m.row, false); }
  void operator()(const Update& m) const {
    Require(m.old_kind != OldRow::kNone || m.old_row.empty(),
            "a row that was not sent is empty");
    Row(m.old_row, true);
    Row(m.row, false);
  }
  void operator()(const Delete& m) const {
    Require(m.old_kind != OldRow::kNone, "a Delete has an old row");
    Row(m.old_row, true);
  }
  void operator()(const Truncate& m) const {
    uint32_t sum = 0;
    for (uint32_t index = 0; index < m.relation_ids.size(); ++index) {
      sum += m.relation_ids[index];
    }
    Require(m.relation_ids.size() * 4 + 6 <= payload.size() || sum == 0,
            "every relation has its bytes");
  }
  void operator()(const LogicalMessage& m) const {
    RequireInside(m.prefix, payload);
    RequireInside(m.content, payload);
  }
  void operator()(const StreamStart&) const {}
  void operator()(const StreamStop&) const {}
  void operator()(const StreamCommit&) const {}
  void operator()(const StreamAbort&) const {}
  void operator()(const BeginPrepare& m) const {
    RequireInside(m.gid, payload);
  }
  void operator()(const Prepare& m) const { RequireInside(m.gid, payload); }
  void operator()(const CommitPrepared& m) const {
    RequireInside(m.gid, payload);
  }
  void operator()(const RollbackPrepared& m) const {
    RequireInside(m.gid, payload);
  }
  void operator()(const StreamPrepare& m) const {
    RequireInside(m.gid, payload);
  }

 private:
  void Row(const TupleView& row, bool old) const {
    for (TupleView::Walker walk(row); !walk.done();) {
      const Column column = walk.Next();
      RequireInside(column.value, payload);
      Require(!old || column.kind != ColumnKind::kUnchanged,
              "an old row has no unchanged column");
    }
  }
};

void Check(absl::string_view payload, const DecodeContext& context) {
  const absl::StatusOr<Message> message = DecodeMessage(payload, context);
  if (!message.ok()) {
    Require(message.status().code() == absl::StatusCode::kDataLoss,
            "malformed bytes are data loss");
    return;
  }
  std::visit(Walk{payload}, *message);
  Require(MessageType(*message) == payload[0], "the type is the first byte");
  Require(!DecodeMessage(payload.substr(0, payload.size() - 1), context).ok(),
          "no message is the prefix of another");
}

}  // namespace
}  // namespace walferry

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  walferry::Check(walferry::BytesOf(data + 1, size - 1),
                  {.in_stream_block = (data[0] & 1) != 0,
                   .parallel_streaming = (data[0] & 2) != 0});
  return 0;
}
