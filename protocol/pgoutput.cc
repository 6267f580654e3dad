#include "protocol/pgoutput.h"

#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "protocol/tag_text.h"

namespace walferry {
namespace {

// A position that pgoutput never leaves unset.
Lsn ReadLsn(ByteCursor& in) {
  const Lsn lsn(in.ReadUint64());
  if (!lsn.valid()) in.Fail("LSN 0/0", sizeof(uint64_t));
  return lsn;
}

// Reserved since protocol version 1.
void ReadZeroFlags(ByteCursor& in) {
  if (in.ReadUint8() != 0) in.Fail("unknown flags", 1);
}

uint8_t ReadFlags(ByteCursor& in, uint8_t known) {
  const uint8_t flags = in.ReadUint8();
  if ((flags & ~known) != 0) in.Fail("unknown flags", 1);
  return flags;
}

uint32_t ReadStreamXid(ByteCursor& in, const DecodeContext& context) {
  return context.in_stream_block ? in.ReadUint32() : 0;
}

TupleView ReadNewRow(ByteCursor& in) {
  if (in.ReadUint8() != 'N') in.Fail("no new row", 1);
  return TupleView::Read(in);
}

Begin ReadBegin(ByteCursor& in) {
  return {.final_lsn = ReadLsn(in),
          .commit_time = in.ReadInt64(),
          .xid = in.ReadUint32()};
}

Commit ReadCommit(ByteCursor& in) {
  ReadZeroFlags(in);
  return {.commit_lsn = ReadLsn(in),
          .end_lsn = ReadLsn(in),
          .commit_time = in.ReadInt64()};
}

Origin ReadOrigin(ByteCursor& in) {
  return {.lsn = Lsn(in.ReadUint64()), .name = in.ReadCString()};
}

ReplicaIdentity ReadReplicaIdentity(ByteCursor& in) {
  const auto identity = static_cast<ReplicaIdentity>(in.ReadUint8());
  switch (identity) {
    case ReplicaIdentity::kDefault:
    case ReplicaIdentity::kNothing:
    case ReplicaIdentity::kFull:
    case ReplicaIdentity::kIndex:
      return identity;
  }
  in.Fail("unknown replica identity", 1);
  return ReplicaIdentity::kNothing;
}

RelationColumn ReadRelationColumn(ByteCursor& in) {
  return {.key = ReadFlags(in, 1) == 1,
          .name = in.ReadCString(),
          .type_oid = in.ReadUint32(),
          .type_modifier = in.ReadInt32()};
}

Relation ReadRelation(ByteCursor& in, const DecodeContext& context) {
  return {.xid = ReadStreamXid(in, context),
          .relation_id = in.ReadUint32(),
          .schema = in.ReadCString(),
          .name = in.ReadCString(),
          .identity = ReadReplicaIdentity(in),
          .columns = RelationColumns::Read(in)};
}

Type ReadType(ByteCursor& in, const DecodeContext& context) {
  return {.xid = ReadStreamXid(in, context),
          .type_oid = in.ReadUint32(),
          .schema = in.ReadCString(),
          .name = in.ReadCString()};
}

Insert ReadInsert(ByteCursor& in, const DecodeContext& context) {
  return {.xid = ReadStreamXid(in, context),
          .relation_id = in.ReadUint32(),
          .row = ReadNewRow(in)};
}

// kNone, and nothing read, if no old row follows.
OldRow ReadOldRowTag(ByteCursor& in) {
  const absl::string_view rest = in.rest();
  if (rest.empty() || (rest[0] != 'K' && rest[0] != 'O')) return OldRow::kNone;
  return static_cast<OldRow>(in.ReadUint8());
}

Update ReadUpdate(ByteCursor& in, const DecodeContext& context) {
  const uint32_t xid = ReadStreamXid(in, context);
  const uint32_t relation_id = in.ReadUint32();
  const OldRow old_kind = ReadOldRowTag(in);
  return {.xid = xid,
          .relation_id = relation_id,
          .old_kind = old_kind,
          .old_row = old_kind == OldRow::kNone
                         ? TupleView()
                         : TupleView::Read(in, RowRole::kOld),
          .row = ReadNewRow(in)};
}

Delete ReadDelete(ByteCursor& in, const DecodeContext& context) {
  const uint32_t xid = ReadStreamXid(in, context);
  const uint32_t relation_id = in.ReadUint32();
  const OldRow old_kind = ReadOldRowTag(in);
  if (old_kind == OldRow::kNone) in.Fail("no old row");
  return {.xid = xid,
          .relation_id = relation_id,
          .old_kind = old_kind,
          .old_row = TupleView::Read(in, RowRole::kOld)};
}

Truncate ReadTruncate(ByteCursor& in, const DecodeContext& context) {
  constexpr uint8_t kCascade = 1;
  constexpr uint8_t kRestartIdentity = 2;
  Truncate truncate;
  truncate.xid = ReadStreamXid(in, context);
  const uint32_t count = in.ReadUint32();
  const uint8_t flags = ReadFlags(in, kCascade | kRestartIdentity);
  truncate.cascade = (flags & kCascade) != 0;
  truncate.restart_identity = (flags & kRestartIdentity) != 0;
  truncate.relation_ids = RelationIds::Read(in, count);
  return truncate;
}

LogicalMessage ReadLogicalMessage(ByteCursor& in,
                                  const DecodeContext& context) {
  LogicalMessage message;
  message.xid = ReadStreamXid(in, context);
  message.transactional = ReadFlags(in, 1) == 1;
  message.lsn = Lsn(in.ReadUint64());
  message.prefix = in.ReadCString();
  message.content = in.ReadBytes(in.ReadUint32());
  return message;
}

StreamStart ReadStreamStart(ByteCursor& in) {
  return {.xid = in.ReadUint32(), .first_segment = in.ReadBool()};
}

StreamCommit ReadStreamCommit(ByteCursor& in) {
  StreamCommit commit;
  commit.xid = in.ReadUint32();
  ReadZeroFlags(in);
  commit.commit_lsn = ReadLsn(in);
  commit.end_lsn = ReadLsn(in);
  commit.commit_time = in.ReadInt64();
  return commit;
}

StreamAbort ReadStreamAbort(ByteCursor& in, const DecodeContext& context) {
  StreamAbort abort{.xid = in.ReadUint32(),
                    .subxid = in.ReadUint32(),
                    .abort_lsn = Lsn(),
                    .abort_time = 0};
  if (context.parallel_streaming) {
    abort.abort_lsn = Lsn(in.ReadUint64());
    abort.abort_time = in.ReadInt64();
  }
  return abort;
}

BeginPrepare ReadBeginPrepare(ByteCursor& in) {
  return {.prepare_lsn = ReadLsn(in),
          .end_lsn = ReadLsn(in),
          .prepare_time = in.ReadInt64(),
          .xid = in.ReadUint32(),
          .gid = in.ReadCString()};
}

// Prepare and StreamPrepare have one layout.
template <typename T>
T ReadPrepare(ByteCursor& in) {
  ReadZeroFlags(in);
  return {.prepare_lsn = ReadLsn(in),
          .end_lsn = ReadLsn(in),
          .prepare_time = in.ReadInt64(),
          .xid = in.ReadUint32(),
          .gid = in.ReadCString()};
}

CommitPrepared ReadCommitPrepared(ByteCursor& in) {
  ReadZeroFlags(in);
  return {.commit_lsn = ReadLsn(in),
          .end_lsn = ReadLsn(in),
          .commit_time = in.ReadInt64(),
          .xid = in.ReadUint32(),
          .gid = in.ReadCString()};
}

RollbackPrepared ReadRollbackPrepared(ByteCursor& in) {
  ReadZeroFlags(in);
  return {.prepare_end_lsn = ReadLsn(in),
          .rollback_end_lsn = ReadLsn(in),
          .prepare_time = in.ReadInt64(),
          .rollback_time = in.ReadInt64(),
          .xid = in.ReadUint32(),
          .gid = in.ReadCString()};
}

// Lets emplacement construct, in its place, what a function returns: copying
// a message right after its fields were written would wait for them.
template <typename Read>
struct InPlace {
  Read read;
  operator std::invoke_result_t<Read>() const { return read(); }
};

// The message that `read` reads from `in`, which must then be at its end.
template <typename Read>
absl::StatusOr<Message> Decode(const ByteCursor& in, char type, Read read) {
  absl::StatusOr<Message> message(
      absl::in_place, std::in_place_type<std::invoke_result_t<Read>>,
      InPlace<Read>{read});
  if (ABSL_PREDICT_FALSE(!in.finished())) {
    message = in.Finish(MessageName(type));
  }
  return message;
}

}  // namespace

RelationColumns RelationColumns::Read(ByteCursor& in) {
  RelationColumns columns;
  const uint16_t size = in.ReadUint16();
  const absl::string_view start = in.rest();
  for (uint16_t column = 0; column < size && in.ok(); ++column) {
    ReadRelationColumn(in);
  }
  if (!in.ok()) return columns;
  columns.size_ = size;
  columns.bytes_ = start.substr(0, start.size() - in.rest().size());
  return columns;
}

RelationColumn RelationColumns::Walker::Next() {
  --left_;
  return ReadRelationColumn(in_);
}

RelationIds RelationIds::Read(ByteCursor& in, uint32_t count) {
  RelationIds ids;
  ids.bytes_ = in.ReadBytes(sizeof(uint32_t) * uint64_t{count});
  return ids;
}

uint32_t RelationIds::operator[](uint32_t index) const {
  return LoadBigEndian<uint32_t>(bytes_.data() +
                                 sizeof(uint32_t) * size_t{index});
}

absl::StatusOr<Message> DecodeMessage(absl::string_view payload,
                                      const DecodeContext& context) {
  if (payload.empty()) return absl::DataLossError("empty message");
  ByteCursor in(payload);
  const char type = static_cast<char>(in.ReadUint8());
  switch (type) {
    case 'B':
      return Decode(in, type, [&] { return ReadBegin(in); });
    case 'C':
      return Decode(in, type, [&] { return ReadCommit(in); });
    case 'O':
      return Decode(in, type, [&] { return ReadOrigin(in); });
    case 'R':
      return Decode(in, type, [&] { return ReadRelation(in, context); });
    case 'Y':
      return Decode(in, type, [&] { return ReadType(in, context); });
    case 'I':
      return Decode(in, type, [&] { return ReadInsert(in, context); });
    case 'U':
      return Decode(in, type, [&] { return ReadUpdate(in, context); });
    case 'D':
      return Decode(in, type, [&] { return ReadDelete(in, context); });
    case 'T':
      return Decode(in, type, [&] { return ReadTruncate(in, context); });
    case 'M':
      return Decode(in, type, [&] { return ReadLogicalMessage(in, context); });
    case 'S':
      return Decode(in, type, [&] { return ReadStreamStart(in); });
    case 'E':
      return Decode(in, type, [&] { return StreamStop{}; });
    case 'c':
      return Decode(in, type, [&] { return ReadStreamCommit(in); });
    case 'A':
      return Decode(in, type, [&] { return ReadStreamAbort(in, context); });
    case 'b':
      return Decode(in, type, [&] { return ReadBeginPrepare(in); });
    case 'P':
      return Decode(in, type, [&] { return ReadPrepare<Prepare>(in); });
    case 'K':
      return Decode(in, type, [&] { return ReadCommitPrepared(in); });
    case 'r':
      return Decode(in, type, [&] { return ReadRollbackPrepared(in); });
    case 'p':
      return Decode(in, type, [&] { return ReadPrepare<StreamPrepare>(in); });
  }
  return absl::DataLossError(
      absl::StrCat("unknown message type ", TagText(type)));
}

absl::string_view MessageName(char type) {
  switch (type) {
    case 'B':
      return "Begin";
    case 'C':
      return "Commit";
    case 'O':
      return "Origin";
    case 'R':
      return "Relation";
    case 'Y':
      return "Type";
    case 'I':
      return "Insert";
    case 'U':
      return "Update";
    case 'D':
      return "Delete";
    case 'T':
      return "Truncate";
    case 'M':
      return "LogicalMessage";
    case 'S':
      return "StreamStart";
    case 'E':
      return "StreamStop";
    case 'c':
      return "StreamCommit";
    case 'A':
      return "StreamAbort";
    case 'b':
      return "BeginPrepare";
    case 'P':
      return "Prepare";
    case 'K':
      return "CommitPrepared";
    case 'r':
      return "RollbackPrepared";
    case 'p':
      return "StreamPrepare";
  }
  return "";
}

char MessageType(const Message& message) {
  // In the order of the variant's alternatives.
  constexpr absl::string_view kTypes = "BCORYIUDTMSEcAbPKrp";
  static_assert(kTypes.size() == std::variant_size_v<Message>);
  return kTypes[message.index()];
}

}  // namespace walferry
