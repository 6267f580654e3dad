#include "tests/differential/differential_run.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/quoting.h"
#include "protocol/status.h"
#include "tests/differential/schema_sql.h"
#include "tests/differential/sessions.h"

namespace walferry {
namespace {

// What is drawn for what.
constexpr uint32_t kSchemaDice = 1;
constexpr uint32_t kOptionsDice = 2;
constexpr uint32_t kSetsDice = 3;
constexpr uint32_t kSingleDice = 4;
constexpr uint32_t kSessionDice = 100;  // And all above.

constexpr int kSessions = 3;

// What a walsender connection is opened with: values must not look as the
// database's settings say.
constexpr char kDecoderSettings[] =
    "SET DateStyle = ISO; SET IntervalStyle = postgres;"
    " SET extra_float_digits = 3; SET search_path = ''";

constexpr char kSource[] = "source";
constexpr char kSets[] = "sets";
constexpr char kSingle[] = "single";
constexpr char kNative[] = "native";

absl::StatusOr<std::unique_ptr<SqlConnection>> Open(
    const std::string& conninfo) {
  ASSIGN_OR_RETURN(SqlConnection connection, SqlConnection::Open(conninfo));
  return std::make_unique<SqlConnection>(std::move(connection));
}

}  // namespace

DifferentialRun::DifferentialRun(const PgServer& server, uint64_t seed)
    : server_(server), seed_(seed), dice_(seed, kOptionsDice) {
  Dice dice(seed, kSchemaDice);
  schema_ = DrawSchema(dice, server.major_version());
  source_sql_ =
      absl::StrCat(SourceSql(schema_), PublicationSql(schema_, "p", false),
                   PublicationSql(schema_, "n", true));
  target_sql_ = TargetSql(schema_, dice);
  sets_options_ = DrawReplicaOptions(/*sets=*/true, dice_);
  single_options_ = DrawReplicaOptions(/*sets=*/false, dice_);
}

testing::AssertionResult DifferentialRun::Run() {
  absl::Status status = Play();
  status.Update(TearDown());
  if (!status.ok()) return testing::AssertionFailure() << status.message();
  return testing::AssertionSuccess();
}

std::string DifferentialRun::Report() const {
  return absl::StrCat(
      "-- in sets: ", ToText(sets_options_),
      "\n-- change by change: ", ToText(single_options_), "\n-- binary ",
      schema_.binary, "\n-- the source:\n", source_sql_, "-- the targets:\n",
      target_sql_, "-- what was done:\n", absl::StrJoin(journal_, "\n"), "\n");
}

// The targets' own columns are filled after the first part; the second part is
// applied at once with the third, before which late columns come.
absl::Status DifferentialRun::Play() {
  RETURN_IF_ERROR(SetUp());
  RETURN_IF_ERROR(Write(/*late_columns=*/false));
  RETURN_IF_ERROR(CatchUp());
  RETURN_IF_ERROR(CompareAll());
  RETURN_IF_ERROR(OnTargets(FillOwnColumnsSql(schema_)));
  RETURN_IF_ERROR(Write(/*late_columns=*/false));
  const std::string late = AddLateColumnsSql(schema_);
  if (!late.empty()) RETURN_IF_ERROR(source_->Exec(late));
  journal_.push_back(late);
  late_columns_ = true;
  RETURN_IF_ERROR(Write(/*late_columns=*/true));
  RETURN_IF_ERROR(CatchUp());
  return CompareAll();
}

absl::Status DifferentialRun::SetUp() {
  RETURN_IF_ERROR(CreateDatabases());
  ASSIGN_OR_RETURN(source_, Open(server_.ConnInfo(Name(kSource))));
  ASSIGN_OR_RETURN(decoder_, Open(server_.ConnInfo(Name(kSource))));
  RETURN_IF_ERROR(decoder_->Exec(kDecoderSettings));
  RETURN_IF_ERROR(source_->Exec(source_sql_));
  RETURN_IF_ERROR(OnTargets(target_sql_));
  RETURN_IF_ERROR(
      source_->Exec(absl::StrCat("SELECT pg_create_logical_replication_slot(",
                                 QuoteLiteral(Name(kSets)), ", 'pgoutput')")));
  ASSIGN_OR_RETURN(
      sets_, WalferryReplica::Open(server_.ConnInfo(Name(kSets)), sets_options_,
                                   Dice(seed_, kSetsDice)));
  ASSIGN_OR_RETURN(single_, WalferryReplica::Open(
                                server_.ConnInfo(Name(kSingle)),
                                single_options_, Dice(seed_, kSingleDice)));
  ASSIGN_OR_RETURN(native_, NativeReplica::Create(server_, Name(kSource),
                                                  Name(kNative), "n"));
  return absl::OkStatus();
}

absl::Status DifferentialRun::CreateDatabases() {
  for (const absl::string_view side : {kSource, kSets, kSingle, kNative}) {
    RETURN_IF_ERROR(server_.Exec(absl::StrCat("CREATE DATABASE ", Name(side))));
  }
  // Statements of the source are meant to fail; those of the sets are counted
  // by the test.
  RETURN_IF_ERROR(server_.Exec(absl::StrCat("ALTER DATABASE ", Name(kSource),
                                            " SET log_min_messages = panic")));
  RETURN_IF_ERROR(server_.Exec(absl::StrCat("ALTER DATABASE ", Name(kSets),
                                            " SET log_statement = 'all'")));
  return server_.Exec(absl::StrCat("ALTER DATABASE ", Name(kSets),
                                   " SET log_parameter_max_length = 0"));
}

absl::Status DifferentialRun::Write(bool late_columns) {
  std::vector<RandomSession> sessions;
  for (int session = 0; session < kSessions; ++session) {
    Dice dice(seed_, kSessionDice + sessions_++);
    sessions.push_back(
        DrawSession(schema_, late_columns, dice.Pick(5, 15), dice));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> journal,
                   RunSessions(server_.ConnInfo(Name(kSource)), sessions));
  journal_.insert(journal_.end(), journal.begin(), journal.end());
  return absl::OkStatus();
}

absl::Status DifferentialRun::CatchUp() {
  RETURN_IF_ERROR(source_->Exec(
      absl::StrCat("INSERT INTO public.marks VALUES (", ++mark_, ")")));
  ASSIGN_OR_RETURN(
      const SqlRows rows,
      decoder_->Query(absl::StrCat(
          "SELECT encode(data, 'hex') FROM pg_logical_slot_get_binary_changes(",
          QuoteLiteral(Name(kSets)),
          ", NULL, NULL, 'proto_version', '1', 'publication_names', 'p',"
          " 'binary', '",
          schema_.binary ? "true" : "false", "')")));
  std::vector<std::string> messages;
  for (const SqlRow& row : rows) {
    messages.push_back(absl::HexStringToBytes(row.front().value()));
  }
  if (absl::Status status = single_->Apply(messages); !status.ok()) {
    return Annotate(status, "change by change");
  }
  if (absl::Status status = sets_->Apply(messages); !status.ok()) {
    return Annotate(status, "in sets");
  }
  return native_->WaitForMark(mark_);
}

absl::Status DifferentialRun::PrepareComparison() {
  RETURN_IF_ERROR(
      source_->Exec(ComparedSql(schema_, late_columns_, /*target=*/false)));
  return OnTargets(ComparedSql(schema_, late_columns_, /*target=*/true));
}

absl::Status DifferentialRun::CompareAll() {
  RETURN_IF_ERROR(PrepareComparison());
  const std::vector<std::string> apart = {"walferry", "public"};
  const std::vector<std::string> targets_own = {"walferry", "public", "owned"};
  std::vector<std::string> not_native;
  for (const RandomTable& table : schema_.tables) {
    if (table.native) continue;
    not_native.push_back(absl::StrCat("compared.", table.name));
    not_native.push_back(absl::StrCat("owned.", table.name));
  }
  RETURN_IF_ERROR(Compare(kSource, kSingle, {.excluded_schemas = targets_own}));
  RETURN_IF_ERROR(Compare(kSource, kSets, {.excluded_schemas = targets_own}));
  RETURN_IF_ERROR(Compare(kSingle, kSets, {.excluded_schemas = apart}));
  RETURN_IF_ERROR(Compare(kNative, kSets,
                          {.excluded_schemas = apart,
                           .excluded_relations = std::move(not_native)}));
  return CompareCounts();
}

absl::Status DifferentialRun::Compare(absl::string_view left,
                                      absl::string_view right,
                                      CompareOptions options) const {
  options.sequences = false;
  const testing::AssertionResult equal = DatabasesEqual(
      server_.ConnInfo(Name(left)), server_.ConnInfo(Name(right)), options);
  if (equal) return absl::OkStatus();
  return absl::UnknownError(absl::StrCat("\"", left, "\" (as source) and \"",
                                         right, "\" (as target) at mark ",
                                         mark_, ":", equal.message()));
}

absl::Status DifferentialRun::CompareCounts() const {
  const ApplyCounts& sets = sets_->counts();
  const ApplyCounts& single = single_->counts();
  if (sets.inserts == single.inserts && sets.updates == single.updates &&
      sets.deletes == single.deletes && sets.truncates == single.truncates &&
      sets.transactions == single.transactions) {
    return absl::OkStatus();
  }
  return absl::UnknownError("other changes were counted in sets");
}

// What belongs to the server and not to one of the databases, and these.
absl::Status DifferentialRun::TearDown() {
  absl::Status status;
  if (native_ != nullptr) status.Update(native_->Drop());
  native_.reset();
  decoder_.reset();
  source_.reset();
  fallbacks_ = sets_ == nullptr ? 0 : sets_->fallbacks();
  sets_.reset();
  single_.reset();
  status.Update(server_.Exec(
      absl::StrCat("SELECT pg_drop_replication_slot(slot_name) FROM "
                   "pg_replication_slots WHERE slot_name = ",
                   QuoteLiteral(Name(kSets)))));
  for (const absl::string_view side : {kSource, kSets, kSingle, kNative}) {
    status.Update(server_.Exec(
        absl::StrCat("DROP DATABASE ", Name(side), " WITH (FORCE)")));
  }
  status.Update(server_.Exec(
      "SELECT pg_replication_origin_drop(roname) FROM pg_replication_origin"));
  return status;
}

absl::Status DifferentialRun::OnTargets(const std::string& sql) const {
  if (sql.empty()) return absl::OkStatus();
  for (const absl::string_view side : {kSets, kSingle, kNative}) {
    RETURN_IF_ERROR(server_.Exec(sql, Name(side)));
  }
  return absl::OkStatus();
}

std::string DifferentialRun::Name(absl::string_view side) const {
  return absl::StrCat(side, "_", seed_);
}

}  // namespace walferry
