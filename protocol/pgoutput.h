#ifndef PROTOCOL_PGOUTPUT_H_
#define PROTOCOL_PGOUTPUT_H_

// The messages of the pgoutput plugin, protocol versions 1 to 4 (PostgreSQL 14
// to 18; proto.c and "Logical Replication Message Formats" in the manual).
//
// Decoding allocates nothing: every string and row is a view of the payload
// and lives as long as it. Times are microseconds since 2000-01-01 UTC
// (pg_time.h). `xid` of a message inside a stream block is the (sub)
// transaction that wrote it, and 0 elsewhere.

#include <cstdint>
#include <optional>
#include <variant>

#include "absl/base/attributes.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "protocol/byte_cursor.h"
#include "protocol/lsn.h"
#include "protocol/tuple.h"

namespace walferry {

// 'B'. Starts a transaction that has committed on the source.
struct Begin {
  Lsn final_lsn;  // Start of the commit record: Commit::commit_lsn.
  int64_t commit_time = 0;
  uint32_t xid = 0;
};

// 'C'. Ends it. The position to keep is `end_lsn`.
struct Commit {
  Lsn commit_lsn;
  Lsn end_lsn;
  int64_t commit_time = 0;
};

// 'O'. The transaction came to the source from another server.
struct Origin {
  Lsn lsn;
  absl::string_view name;
};

// How a relation's old rows are identified: pg_class.relreplident.
enum class ReplicaIdentity : char {
  kDefault = 'd',
  kNothing = 'n',
  kFull = 'f',
  kIndex = 'i',
};

struct RelationColumn {
  bool key = false;  // Part of the replica identity.
  absl::string_view name;
  uint32_t type_oid = 0;
  int32_t type_modifier = -1;
};

// The columns of a Relation message, checked when it was decoded.
class RelationColumns {
 public:
  RelationColumns() = default;
  static RelationColumns Read(ByteCursor& in);
  uint16_t size() const { return size_; }

  class Walker {
   public:
    explicit Walker(const RelationColumns& columns)
        : in_(columns.bytes_), left_(columns.size_) {}
    bool done() const { return left_ == 0; }
    RelationColumn Next();

   private:
    ByteCursor in_;
    uint16_t left_;
  };

 private:
  uint16_t size_ = 0;
  absl::string_view bytes_;
};

// 'R'. May be repeated at any time, with or without a difference.
struct Relation {
  uint32_t xid = 0;
  uint32_t relation_id = 0;  // OID on the source.
  absl::string_view schema;  // "" means pg_catalog.
  absl::string_view name;
  ReplicaIdentity identity = ReplicaIdentity::kDefault;
  RelationColumns columns;
};

// 'Y'. Precedes the Relation that uses a type which is not built in. For a
// domain it names the base type: not fit for casts.
struct Type {
  uint32_t xid = 0;
  uint32_t type_oid = 0;
  absl::string_view schema;
  absl::string_view name;
};

struct Insert {
  uint32_t xid = 0;
  uint32_t relation_id = 0;
  TupleView row;
};

// Which columns of an old row mean anything.
enum class OldRow : char {
  kNone = 0,
  kKey = 'K',   // Key columns only; the others read as NULL.
  kFull = 'O',  // All, also the TOASTed ones.
};

struct Update {
  uint32_t xid = 0;
  uint32_t relation_id = 0;
  OldRow old_kind = OldRow::kNone;
  TupleView old_row;
  TupleView row;
};

struct Delete {
  uint32_t xid = 0;
  uint32_t relation_id = 0;
  OldRow old_kind = OldRow::kKey;  // Never kNone.
  TupleView old_row;
};

// The relation OIDs of a Truncate.
class RelationIds {
 public:
  RelationIds() = default;
  static RelationIds Read(ByteCursor& in, uint32_t count);
  uint32_t size() const { return static_cast<uint32_t>(bytes_.size() / 4); }
  uint32_t operator[](uint32_t index) const;

 private:
  absl::string_view bytes_;
};

struct Truncate {
  uint32_t xid = 0;
  bool cascade = false;
  bool restart_identity = false;
  RelationIds relation_ids;
};

// 'M'. pg_logical_emit_message(). A non-transactional one stands outside any
// transaction and counts even if its transaction was rolled back.
struct LogicalMessage {
  uint32_t xid = 0;
  bool transactional = false;
  Lsn lsn;
  absl::string_view prefix;
  absl::string_view content;
};

struct StreamStart {
  uint32_t xid = 0;
  bool first_segment = false;
};
struct StreamStop {};
struct StreamCommit {
  uint32_t xid = 0;
  Lsn commit_lsn;
  Lsn end_lsn;
  int64_t commit_time = 0;
};
struct StreamAbort {
  uint32_t xid = 0;
  uint32_t subxid = 0;  // Equal to `xid`: the whole transaction.
  // Only sent with streaming 'parallel'.
  Lsn abort_lsn;
  int64_t abort_time = 0;
};

struct BeginPrepare {
  Lsn prepare_lsn;
  Lsn end_lsn;
  int64_t prepare_time = 0;
  uint32_t xid = 0;
  absl::string_view gid;
};
struct Prepare {
  Lsn prepare_lsn;
  Lsn end_lsn;
  int64_t prepare_time = 0;
  uint32_t xid = 0;
  absl::string_view gid;
};
struct CommitPrepared {
  Lsn commit_lsn;
  Lsn end_lsn;
  int64_t commit_time = 0;
  uint32_t xid = 0;
  absl::string_view gid;
};
struct RollbackPrepared {
  Lsn prepare_end_lsn;
  Lsn rollback_end_lsn;
  int64_t prepare_time = 0;
  int64_t rollback_time = 0;
  uint32_t xid = 0;
  absl::string_view gid;
};
struct StreamPrepare {
  Lsn prepare_lsn;
  Lsn end_lsn;
  int64_t prepare_time = 0;
  uint32_t xid = 0;
  absl::string_view gid;
};

// One alternative per message type; visit it with overloads and no generic
// lambda, so that a forgotten type is a compile error.
using Message =
    std::variant<Begin, Commit, Origin, Relation, Type, Insert, Update, Delete,
                 Truncate, LogicalMessage, StreamStart, StreamStop,
                 StreamCommit, StreamAbort, BeginPrepare, Prepare,
                 CommitPrepared, RollbackPrepared, StreamPrepare>;

// What the bytes alone do not tell.
struct DecodeContext {
  // Between StreamStart and StreamStop: R Y I U D T M carry an xid.
  bool in_stream_block = false;
  // The stream was started with streaming 'parallel': A carries LSN and time.
  bool parallel_streaming = false;
};

// Decodes the message that one XLogData frame carries. Errors are kDataLoss:
// "Insert: malformed at offset 13 of 13".
absl::StatusOr<Message> DecodeMessage(absl::string_view payload
                                          ABSL_ATTRIBUTE_LIFETIME_BOUND,
                                      const DecodeContext& context = {});

// "Insert" for 'I', or "" for a byte that starts no message.
absl::string_view MessageName(char type);

// 'I' for an Insert: the byte that it was decoded from.
char MessageType(const Message& message);

}  // namespace walferry

#endif  // PROTOCOL_PGOUTPUT_H_
