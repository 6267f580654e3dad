#include "engine/verify/sequence_values.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/schema/owned_sequences.h"
#include "protocol/pg_result.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

using Weight = ObjectDifference::Weight;

struct Value {
  int64_t last_value = 0;
  bool is_called = false;

  friend bool operator==(const Value&, const Value&) = default;
};

std::string Text(const Value& value) {
  return absl::StrCat(value.last_value, value.is_called ? "" : " (not called)");
}

// Whether the error is of one sequence alone, as the server knows it.
bool IsOfSequence(const absl::Status& status) {
  return !SqlStateOf(status).empty() && !absl::IsUnavailable(status) &&
         !absl::IsCancelled(status) && !absl::IsDeadlineExceeded(status);
}

absl::StatusOr<Value> ReadValue(PgConnection& session,
                                const QualifiedName& name) {
  ASSIGN_OR_RETURN(const PgResult rows,
                   session.Exec(absl::StrCat(
                       "SELECT last_value, is_called FROM ", Quote(name))));
  if (rows.rows() != 1) {
    return absl::InternalError(
        absl::StrCat("the sequence has ", rows.rows(), " rows"));
  }
  ASSIGN_OR_RETURN(const int64_t last_value, rows.Int64(0, 0));
  return Value{last_value, rows.Bool(0, 1)};
}

bool IsBehind(const Value& one, const Value& other, bool ascending) {
  if (one.last_value == other.last_value) {
    return !one.is_called && other.is_called;
  }
  return (one.last_value < other.last_value) == ascending;
}

// By name as SQL has it under an empty search_path, quoted only where it must
// be, by the server.
absl::StatusOr<std::map<QualifiedName, OwnedSequence>> OwnedByColumns(
    PgConnection& session, const std::vector<CatalogSequence>& sequences) {
  ASSIGN_OR_RETURN(const std::vector<OwnedSequence> all,
                   ReadOwnedSequences(session));
  std::map<std::string, OwnedSequence> by_text;
  for (const OwnedSequence& owned : all) by_text[owned.sequence] = owned;
  std::map<QualifiedName, OwnedSequence> by_name;
  for (const CatalogSequence& sequence : sequences) {
    ASSIGN_OR_RETURN(
        const std::string text,
        session.QueryValue(absl::StrCat(
            "SELECT ", QuoteLiteral(Quote(sequence.name)), "::regclass")));
    const auto found = by_text.find(text);
    if (found != by_text.end()) by_name[sequence.name] = found->second;
  }
  return by_name;
}

class Comparison {
 public:
  Comparison(PgConnection& source, PgConnection& target)
      : source_(source), target_(target) {}

  absl::StatusOr<std::vector<ObjectDifference>> Run(
      const std::vector<CatalogSequence>& sequences) {
    ASSIGN_OR_RETURN(owned_, OwnedByColumns(target_, sequences));
    ASSIGN_OR_RETURN(owned_on_source_, OwnedByColumns(source_, sequences));
    ASSIGN_OR_RETURN(descending_, Descending());
    // Transactions go on from there if something cannot be read.
    for (PgConnection* const session : {&source_, &target_}) {
      RETURN_IF_ERROR(session->Exec("SAVEPOINT sequence_values").status());
    }
    for (const CatalogSequence& sequence : sequences) {
      ASSIGN_OR_RETURN(
          const std::optional<Value> source,
          OrUnknown(source_, sequence, ReadValue(source_, sequence.name)));
      ASSIGN_OR_RETURN(
          const std::optional<Value> target,
          OrUnknown(target_, sequence, ReadValue(target_, sequence.name)));
      if (!source.has_value() || !target.has_value()) continue;
      RETURN_IF_ERROR(Compare(sequence, *source, *target));
    }
    for (PgConnection* const session : {&source_, &target_}) {
      RETURN_IF_ERROR(
          session->Exec("RELEASE SAVEPOINT sequence_values").status());
    }
    return std::move(differences_);
  }

 private:
  // nullopt: it could not be read, which is noted.
  template <typename T>
  absl::StatusOr<std::optional<T>> OrUnknown(PgConnection& session,
                                             const CatalogSequence& sequence,
                                             absl::StatusOr<T> read) {
    if (read.ok()) return std::optional<T>(*std::move(read));
    const absl::Status why =
        Annotate(read.status(), &session == &source_ ? "source" : "target");
    if (!IsOfSequence(why)) {
      return Annotate(why, absl::StrCat("sequence ", ToDisplay(sequence.name)));
    }
    RETURN_IF_ERROR(
        session.Exec("ROLLBACK TO SAVEPOINT sequence_values").status());
    differences_.push_back(
        {.weight = Weight::kUnknown,
         .kind = "sequence",
         .object = ToDisplay(sequence.name),
         .what = absl::StrCat("could not be compared: ", why.message())});
    return std::optional<T>();
  }

  absl::StatusOr<std::map<QualifiedName, bool>> Descending() {
    ASSIGN_OR_RETURN(
        const PgResult rows,
        target_.Exec("SELECT n.nspname, c.relname FROM pg_sequence s JOIN"
                     " pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n"
                     " ON n.oid = c.relnamespace WHERE s.seqincrement < 0"));
    std::map<QualifiedName, bool> names;
    for (int row = 0; row < rows.rows(); ++row) {
      names[{std::string(rows.Text(row, 0)), std::string(rows.Text(row, 1))}] =
          true;
    }
    return names;
  }

  absl::Status Compare(const CatalogSequence& sequence, const Value& source,
                       const Value& target) {
    ASSIGN_OR_RETURN(const auto behind,
                     BehindColumn(target_, owned_, sequence));
    if (behind.has_value()) {
      // What the source does as well, the move has not done.
      bool as_on_source = false;
      if (source == target) {
        ASSIGN_OR_RETURN(const auto there,
                         BehindColumn(source_, owned_on_source_, sequence));
        as_on_source = there.has_value();
      }
      const OwnedSequence& owned = owned_[sequence.name];
      Add(sequence, as_on_source ? Weight::kWarning : Weight::kDifference,
          absl::StrCat("is behind column ", QuoteIdentifier(owned.column),
                       " of ", owned.table, ", which goes to ", behind->extreme,
                       ": it will give values that are there",
                       as_on_source ? ", as on the source" : ""),
          source, target);
      return absl::OkStatus();
    }
    if (source == target) return absl::OkStatus();
    const bool ascending = !descending_.contains(sequence.name);
    if (IsBehind(target, source, ascending)) {
      Add(sequence, Weight::kDifference, "is behind the source's", source,
          target);
    } else {
      Add(sequence, Weight::kWarning, "is ahead of the source's", source,
          target);
    }
    return absl::OkStatus();
  }

  // nullopt also where nobody knows; the values are compared all the same.
  absl::StatusOr<std::optional<SequenceBehindColumn>> BehindColumn(
      PgConnection& session,
      const std::map<QualifiedName, OwnedSequence>& owned,
      const CatalogSequence& sequence) {
    const auto found = owned.find(sequence.name);
    if (found == owned.end()) return std::nullopt;
    ASSIGN_OR_RETURN(
        const auto behind,
        OrUnknown(session, sequence, BehindItsColumn(session, found->second)));
    return behind.value_or(std::nullopt);
  }

  void Add(const CatalogSequence& sequence, Weight weight, std::string what,
           const Value& source, const Value& target) {
    differences_.push_back({.weight = weight,
                            .kind = "sequence",
                            .object = ToDisplay(sequence.name),
                            .what = std::move(what),
                            .source = Text(source),
                            .target = Text(target)});
  }

  PgConnection& source_;
  PgConnection& target_;
  std::map<QualifiedName, OwnedSequence> owned_;
  std::map<QualifiedName, OwnedSequence> owned_on_source_;
  std::map<QualifiedName, bool> descending_;
  std::vector<ObjectDifference> differences_;
};

}  // namespace

absl::StatusOr<std::vector<ObjectDifference>> CompareSequenceValues(
    PgConnection& source, PgConnection& target,
    const std::vector<CatalogSequence>& sequences) {
  return Comparison(source, target).Run(sequences);
}

}  // namespace walferry
