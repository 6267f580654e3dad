#include "tests/testing/message_text.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace walferry {
namespace {

// "z*2100" for a long value of one byte only.
std::string ValueText(absl::string_view value) {
  constexpr size_t kLong = 100;
  if (value.size() > kLong &&
      value.find_first_not_of(value[0]) == absl::string_view::npos) {
    return absl::StrCat(absl::CEscape(value.substr(0, 1)), "*", value.size());
  }
  return absl::CEscape(value);
}

std::string ToText(const Column& column) {
  switch (column.kind) {
    case ColumnKind::kNull:
      return "n";
    case ColumnKind::kUnchanged:
      return "u";
    case ColumnKind::kText:
      return absl::StrCat("t'", ValueText(column.value), "'");
    case ColumnKind::kBinary:
      return absl::StrCat("b'", absl::BytesToHexString(column.value), "'");
  }
  return "?";
}

std::string ToText(const RelationColumns& columns) {
  std::vector<std::string> parts;
  for (RelationColumns::Walker walk(columns); !walk.done();) {
    const RelationColumn column = walk.Next();
    parts.push_back(absl::StrCat(column.key ? "*" : "", column.name, ":",
                                 column.type_oid, ":", column.type_modifier));
  }
  return absl::StrCat("(", absl::StrJoin(parts, ", "), ")");
}

std::string ToText(const RelationIds& ids) {
  std::vector<uint32_t> values;
  for (uint32_t index = 0; index < ids.size(); ++index) {
    values.push_back(ids[index]);
  }
  return absl::StrCat("(", absl::StrJoin(values, ", "), ")");
}

// " xid=7", or nothing outside a stream block.
std::string StreamXid(uint32_t xid) {
  return xid == 0 ? "" : absl::StrCat(" xid=", xid);
}

std::string OldRowText(OldRow kind, const TupleView& row) {
  if (kind == OldRow::kNone) return "";
  return absl::StrCat(" ", std::string(1, static_cast<char>(kind)),
                      ToText(row));
}

struct FieldsOf {
  std::string operator()(const Begin& m) const {
    return absl::StrCat(" final_lsn=", m.final_lsn.ToString(),
                        " commit_time=", m.commit_time, " xid=", m.xid);
  }
  std::string operator()(const Commit& m) const {
    return absl::StrCat(" commit_lsn=", m.commit_lsn.ToString(),
                        " end_lsn=", m.end_lsn.ToString(),
                        " commit_time=", m.commit_time);
  }
  std::string operator()(const Origin& m) const {
    return absl::StrCat(" lsn=", m.lsn.ToString(), " name=", m.name);
  }
  std::string operator()(const Relation& m) const {
    return absl::StrCat(
        StreamXid(m.xid), " id=", m.relation_id, " name=", m.schema, ".",
        m.name, " identity=", std::string(1, static_cast<char>(m.identity)),
        " ", ToText(m.columns));
  }
  std::string operator()(const Type& m) const {
    return absl::StrCat(StreamXid(m.xid), " oid=", m.type_oid,
                        " name=", m.schema, ".", m.name);
  }
  std::string operator()(const Insert& m) const {
    return absl::StrCat(StreamXid(m.xid), " id=", m.relation_id, " N",
                        ToText(m.row));
  }
  std::string operator()(const Update& m) const {
    return absl::StrCat(StreamXid(m.xid), " id=", m.relation_id,
                        OldRowText(m.old_kind, m.old_row), " N", ToText(m.row));
  }
  std::string operator()(const Delete& m) const {
    return absl::StrCat(StreamXid(m.xid), " id=", m.relation_id,
                        OldRowText(m.old_kind, m.old_row));
  }
  std::string operator()(const Truncate& m) const {
    return absl::StrCat(StreamXid(m.xid), m.cascade ? " cascade" : "",
                        m.restart_identity ? " restart_identity" : "",
                        " ids=", ToText(m.relation_ids));
  }
  std::string operator()(const LogicalMessage& m) const {
    return absl::StrCat(StreamXid(m.xid),
                        m.transactional ? " transactional" : "",
                        " lsn=", m.lsn.ToString(), " prefix=", m.prefix,
                        " content='", absl::CEscape(m.content), "'");
  }
  std::string operator()(const StreamStart& m) const {
    return absl::StrCat(" xid=", m.xid,
                        m.first_segment ? " first_segment" : "");
  }
  std::string operator()(const StreamStop&) const { return ""; }
  std::string operator()(const StreamCommit& m) const {
    return absl::StrCat(" xid=", m.xid, " commit_lsn=", m.commit_lsn.ToString(),
                        " end_lsn=", m.end_lsn.ToString(),
                        " commit_time=", m.commit_time);
  }
  std::string operator()(const StreamAbort& m) const {
    return absl::StrCat(" xid=", m.xid, " subxid=", m.subxid,
                        " abort_lsn=", m.abort_lsn.ToString(),
                        " abort_time=", m.abort_time);
  }
  std::string operator()(const BeginPrepare& m) const { return Prepared(m); }
  std::string operator()(const Prepare& m) const { return Prepared(m); }
  std::string operator()(const CommitPrepared& m) const {
    return absl::StrCat(" commit_lsn=", m.commit_lsn.ToString(),
                        " end_lsn=", m.end_lsn.ToString(),
                        " commit_time=", m.commit_time, " xid=", m.xid,
                        " gid=", m.gid);
  }
  std::string operator()(const RollbackPrepared& m) const {
    return absl::StrCat(" prepare_end_lsn=", m.prepare_end_lsn.ToString(),
                        " rollback_end_lsn=", m.rollback_end_lsn.ToString(),
                        " prepare_time=", m.prepare_time,
                        " rollback_time=", m.rollback_time, " xid=", m.xid,
                        " gid=", m.gid);
  }
  std::string operator()(const StreamPrepare& m) const { return Prepared(m); }

 private:
  template <typename T>
  std::string Prepared(const T& m) const {
    return absl::StrCat(" prepare_lsn=", m.prepare_lsn.ToString(),
                        " end_lsn=", m.end_lsn.ToString(),
                        " prepare_time=", m.prepare_time, " xid=", m.xid,
                        " gid=", m.gid);
  }
};

}  // namespace

std::string ToText(const TupleView& row) {
  std::vector<std::string> parts;
  for (TupleView::Walker walk(row); !walk.done();) {
    parts.push_back(ToText(walk.Next()));
  }
  return absl::StrCat("(", absl::StrJoin(parts, ", "), ")");
}

std::string ToText(const Message& message) {
  return absl::StrCat(MessageName(MessageType(message)),
                      std::visit(FieldsOf(), message));
}

std::string ChangeTexts::TextOf(const Message& message) {
  if (const auto* relation = std::get_if<Relation>(&message)) {
    names_[relation->relation_id] = std::string(relation->name);
    return "";
  }
  const absl::string_view kind = MessageName(MessageType(message));
  if (const auto* m = std::get_if<Insert>(&message)) {
    return absl::StrCat(kind, " ", names_[m->relation_id], " N",
                        ToText(m->row));
  }
  if (const auto* m = std::get_if<Update>(&message)) {
    return absl::StrCat(kind, " ", names_[m->relation_id],
                        OldRowText(m->old_kind, m->old_row), " N",
                        ToText(m->row));
  }
  if (const auto* m = std::get_if<Delete>(&message)) {
    return absl::StrCat(kind, " ", names_[m->relation_id],
                        OldRowText(m->old_kind, m->old_row));
  }
  if (const auto* m = std::get_if<Truncate>(&message)) {
    return absl::StrCat(kind, m->cascade ? " cascade" : "",
                        m->restart_identity ? " restart_identity" : "", " ",
                        Relations(m->relation_ids));
  }
  if (const auto* m = std::get_if<LogicalMessage>(&message)) {
    return absl::StrCat(kind, m->transactional ? " transactional" : "",
                        " prefix=", m->prefix, " content='",
                        absl::CEscape(m->content), "'");
  }
  return "";
}

std::string ChangeTexts::Relations(const RelationIds& ids) const {
  std::vector<std::string> names;
  for (uint32_t index = 0; index < ids.size(); ++index) {
    names.push_back(names_.at(ids[index]));
  }
  return absl::StrCat("(", absl::StrJoin(names, ", "), ")");
}

}  // namespace walferry
