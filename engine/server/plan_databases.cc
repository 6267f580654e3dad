// PlanDatabases of create_database.h.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/server/create_database.h"
#include "protocol/quoting.h"

namespace walferry {
namespace {

constexpr absl::string_view kIds[] = {
    "database-encoding", "database-exists",     "database-locale",
    "database-owner",    "database-parameter",  "database-privilege",
    "database-rights",   "database-tablespace",
};

constexpr absl::string_view kReadOnly = "default_transaction_read_only";
constexpr int kProviders = 150000;  // CREATE DATABASE knows ICU.
constexpr int kIcuRules = 160000;   // ... and rules of its own.
constexpr int kBuiltinProvider = 170000;

bool IsC(absl::string_view locale) {
  return locale == "C" || locale == "POSIX";
}

class DatabasePlanner {
 public:
  DatabasePlanner(const ServerDatabase& database, const TargetDatabases& target,
                  const CreateDatabaseOptions& options, FindingList& findings)
      : database_(database),
        target_(target),
        options_(options),
        findings_(findings),
        subject_(absl::StrCat("database ", database.name)) {}

  DatabasePlan Plan() {
    plan_.name = database_.name;
    if (target_.databases.contains(database_.name)) {
      CheckExisting();
    } else {
      PlanCreate();
    }
    PlanConnectionLimit();
    if (!options_.no_acl) PlanPrivileges();
    PlanComment();
    PlanSettings();
    return std::move(plan_);
  }

 private:
  void CheckExisting() {
    if (options_.use_existing || options_.begun.contains(database_.name)) {
      return;
    }
    findings_.Acceptable({"database-exists", subject_,
                          "exists on the target already",
                          "drop it, leave it out with --exclude-database, or "
                          "migrate into it with --use-existing"});
  }

  void PlanCreate() {
    if (!target_.rights.create_db) {
      findings_.Blocking(
          {"database-rights", subject_,
           absl::StrCat("role ", target_.rights.role,
                        " may not create databases on the target"),
           absl::StrCat("ALTER ROLE ", QuoteIdentifier(target_.rights.role),
                        " CREATEDB")});
    }
    CheckEncoding();
    CheckLocale(database_.collate);
    if (database_.ctype != database_.collate) CheckLocale(database_.ctype);
    // One after the other, as each may find something.
    const std::string locale = LocaleClause();
    const std::string owner = OwnerClause();
    const std::string tablespace = TablespaceClause();
    plan_.create = absl::StrCat(
        "CREATE DATABASE ", Name(), " WITH TEMPLATE template0 ENCODING ",
        QuoteLiteral(database_.encoding), ProviderClause(), " LC_COLLATE ",
        QuoteLiteral(database_.collate), " LC_CTYPE ",
        QuoteLiteral(database_.ctype), locale, owner, tablespace);
  }

  void CheckEncoding() {
    if (!target_.encodings.contains(database_.encoding)) {
      findings_.Blocking({"database-encoding", subject_,
                          absl::StrCat("is encoded in ", database_.encoding,
                                       ", which the target does not know"),
                          ""});
    } else if (database_.encoding == "SQL_ASCII" && !target_.rights.superuser &&
               !(IsC(database_.collate) && IsC(database_.ctype))) {
      findings_.Blocking(
          {"database-encoding", subject_,
           absl::StrCat("is encoded in SQL_ASCII with locale ",
                        database_.collate,
                        ", which only a superuser may create"),
           "migrate as a superuser of the target, or create it there first"});
    }
  }

  void CheckLocale(const std::string& locale) {
    if (target_.locales.contains(locale)) return;
    findings_.Blocking(
        {"database-locale", subject_,
         absl::StrCat("has locale ", locale,
                      ", which the target's machine does not have"),
         "install the locale there and restart the server (Debian: "
         "dpkg-reconfigure locales), or create the database first with another "
         "one"});
  }

  std::string ProviderClause() {
    if (target_.server_version < kProviders) return "";
    switch (database_.provider) {
      case LocaleProvider::kLibc:
        return " LOCALE_PROVIDER libc";
      case LocaleProvider::kIcu:
        return " LOCALE_PROVIDER icu";
      case LocaleProvider::kBuiltin:
        return " LOCALE_PROVIDER builtin";
    }
    return "";
  }

  std::string LocaleClause() {
    switch (database_.provider) {
      case LocaleProvider::kLibc:
        return "";
      case LocaleProvider::kIcu:
        return IcuClause();
      case LocaleProvider::kBuiltin:
        if (target_.server_version < kBuiltinProvider) {
          LackOf("the built-in locale provider", "PostgreSQL 17");
        } else if (database_.locale == "PG_UNICODE_FAST" &&
                   target_.server_version < 180000) {
          LackOf("the built-in locale PG_UNICODE_FAST", "PostgreSQL 18");
        }
        return absl::StrCat(" BUILTIN_LOCALE ", QuoteLiteral(database_.locale));
    }
    return "";
  }

  std::string IcuClause() {
    if (target_.server_version < kProviders) {
      LackOf("locale provider ICU for databases", "PostgreSQL 15");
    } else if (!target_.has_icu) {
      findings_.Blocking({"database-locale", subject_,
                          absl::StrCat("has ICU locale ", database_.locale,
                                       ", and the target's server was built "
                                       "without ICU"),
                          "use a server that was built with ICU, or create the "
                          "database first with another locale"});
    }
    if (!database_.icu_rules.empty() && target_.server_version < kIcuRules) {
      LackOf("ICU rules", "PostgreSQL 16");
    }
    return absl::StrCat(
        " ICU_LOCALE ", QuoteLiteral(database_.locale),
        database_.icu_rules.empty()
            ? ""
            : absl::StrCat(" ICU_RULES ", QuoteLiteral(database_.icu_rules)));
  }

  void LackOf(absl::string_view what, absl::string_view since) {
    findings_.Blocking(
        {"database-locale", subject_,
         absl::StrCat("needs ", what, ", which comes with ", since),
         "use a newer target, or create the database first with "
         "another locale"});
  }

  std::string OwnerClause() {
    if (options_.no_owner || database_.owner == target_.rights.role) return "";
    const bool comes = options_.roles_to_come.contains(database_.owner);
    const bool exists = comes || target_.roles.contains(database_.owner);
    const bool possible =
        comes ? target_.rights.superuser
              : target_.possible_owners.contains(database_.owner);
    if (exists && possible) {
      owner_ = database_.owner;
      return absl::StrCat(" OWNER ", QuoteIdentifier(owner_));
    }
    findings_.Acceptable(
        {"database-owner", subject_,
         exists ? absl::StrCat("belongs to role ", database_.owner,
                               ", and role ", target_.rights.role,
                               " may not act for that on the target")
                : absl::StrCat("belongs to role ", database_.owner,
                               ", which the target does not have"),
         absl::StrCat("otherwise it belongs to role ", target_.rights.role)});
    return "";
  }

  std::string TablespaceClause() {
    if (database_.tablespace == "pg_default") return "";
    if (target_.tablespaces.contains(database_.tablespace) ||
        options_.tablespaces_to_come.contains(database_.tablespace)) {
      return absl::StrCat(" TABLESPACE ",
                          QuoteIdentifier(database_.tablespace));
    }
    findings_.Warning({"database-tablespace", subject_,
                       absl::StrCat("lies in tablespace ", database_.tablespace,
                                    ", which the target does not have; it goes "
                                    "to the target's default one"),
                       ""});
    return "";
  }

  void PlanConnectionLimit() {
    if (database_.connection_limit == -1) return;
    Add(absl::StrCat("ALTER DATABASE ", Name(), " CONNECTION LIMIT ",
                     database_.connection_limit));
  }

  bool HasRole(const std::string& role) const {
    return target_.roles.contains(role) ||
           options_.roles_to_come.contains(role);
  }

  // Who owns the database on the target stands for its owner on the source.
  std::string Translated(const std::string& role) const {
    if (role != database_.owner) return role;
    return owner_.empty() ? target_.rights.role : owner_;
  }

  void PlanPrivileges() {
    if (!database_.privileges) return;
    // Of one that exists nobody has asked who owns it.
    if (plan_.create.empty() && HasRole(database_.owner) &&
        !options_.no_owner) {
      owner_ = database_.owner;
    }
    std::vector<Privilege> known;
    for (const Privilege& privilege : *database_.privileges) {
      Privilege translated = privilege;
      translated.grantor = Translated(privilege.grantor);
      translated.grantee = Translated(privilege.grantee);
      bool complete = true;
      for (const std::string& role : {translated.grantor, translated.grantee}) {
        if (role.empty() || HasRole(role)) continue;
        complete = false;
        findings_.Acceptable({"database-privilege", subject_,
                              absl::StrCat("has privileges of role ", role,
                                           ", which the target does not have"),
                              ""});
      }
      if (complete) known.push_back(std::move(translated));
    }
    for (std::string& sql :
         PrivilegeStatements(absl::StrCat("DATABASE ", Name()),
                             Translated(database_.owner), known)) {
      Add(std::move(sql));
    }
  }

  void PlanComment() {
    if (database_.comment.empty()) return;
    Add(absl::StrCat("COMMENT ON DATABASE ", Name(), " IS ",
                     QuoteLiteral(database_.comment)));
  }

  void PlanSettings() {
    for (const ServerSetting& setting : database_.settings) {
      if (setting.role.empty() && setting.name == kReadOnly) {
        TellReadOnly(setting);
        continue;
      }
      const auto lookup = target_.rights.Lookup(setting.name);
      std::string reason;
      if (!setting.role.empty() && !HasRole(setting.role)) {
        reason = absl::StrCat("for role ", setting.role,
                              ", which the target does not have");
      } else if (lookup == TargetRights::Parameter::kUnknown) {
        reason = "which the target does not know";
      } else if (lookup == TargetRights::Parameter::kDenied) {
        reason = absl::StrCat("which role ", target_.rights.role,
                              " may not set for others on the target");
      }
      if (reason.empty()) {
        Add(AlterSql(setting));
        continue;
      }
      findings_.Acceptable(
          {"database-parameter", subject_,
           absl::StrCat("has ", setting.name, " set, ", reason), ""});
    }
  }

  // Set by a freeze, or by whoever keeps the source still: carried over, it
  // would keep the applications from writing where they are to write.
  void TellReadOnly(const ServerSetting& setting) {
    findings_.Warning(
        {"database-parameter", subject_,
         absl::StrCat("has ", kReadOnly,
                      " set, which is not carried: it is how a "
                      "source is kept still"),
         absl::StrCat("if the target is meant to have it: ", AlterSql(setting),
                      " there, once all is done")});
  }

  std::string Name() const { return QuoteIdentifier(database_.name); }

  void Add(std::string sql) {
    plan_.properties.push_back({.subject = subject_, .sql = sql, .shown = sql});
  }

  const ServerDatabase& database_;
  const TargetDatabases& target_;
  const CreateDatabaseOptions& options_;
  FindingList& findings_;
  const std::string subject_;
  std::string owner_;  // On the target; "": the role that migrates.
  DatabasePlan plan_;
};

}  // namespace

DatabasesPlan PlanDatabases(absl::Span<const ServerDatabase> wanted,
                            const TargetDatabases& target,
                            const CreateDatabaseOptions& options) {
  DatabasesPlan plan;
  FindingList findings;
  for (const ServerDatabase& database : wanted) {
    plan.databases.push_back(
        DatabasePlanner(database, target, options, findings).Plan());
  }
  plan.findings = findings.Take();
  return plan;
}

absl::Span<const absl::string_view> DatabaseFindingIds() { return kIds; }

}  // namespace walferry
