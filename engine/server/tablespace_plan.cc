#include "engine/server/tablespace_plan.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "protocol/quoting.h"

namespace walferry {
namespace {

std::string Subject(const ServerTablespace& tablespace) {
  return absl::StrCat("tablespace ", tablespace.name);
}

// (seq_page_cost = '1.1', ...)
std::string OptionsSql(const std::vector<std::string>& options) {
  return absl::StrCat(
      "(",
      absl::StrJoin(options, ", ",
                    [](std::string* out, const std::string& option) {
                      const std::pair<std::string, std::string> parts =
                          absl::StrSplit(option, absl::MaxSplits('=', 1));
                      absl::StrAppend(out, QuoteIdentifier(parts.first), " = ",
                                      QuoteLiteral(parts.second));
                    }),
      ")");
}

// In what it is not as on the source.
std::vector<std::string> Differences(const ServerTablespace& wanted,
                                     const ServerTablespace& present) {
  std::vector<std::string> differences;
  if (wanted.owner != present.owner) {
    differences.push_back(absl::StrCat("owner ", wanted.owner));
  }
  if (wanted.options != present.options) differences.emplace_back("options");
  if (wanted.comment != present.comment) differences.emplace_back("comment");
  if (wanted.privileges != present.privileges) {
    differences.emplace_back("privileges");
  }
  return differences;
}

// As CREATE TABLESPACE leaves it: whoever made it was killed before the rest,
// which cannot be in one transaction with that. To add what is missing takes
// nothing away.
bool IsJustMade(const ServerTablespace& wanted, const ServerTablespace& present,
                absl::string_view location) {
  return present.location == location && present.owner == wanted.owner &&
         present.options == wanted.options && present.comment.empty() &&
         !present.privileges.has_value();
}

bool Concerns(const TablespaceMapping& mapping,
              const ServerTablespace& tablespace) {
  // The server keeps locations without a slash at their end.
  absl::string_view from = mapping.from;
  if (from.size() > 1) absl::ConsumeSuffix(&from, "/");
  return from == tablespace.location || mapping.from == tablespace.name;
}

class TablespacePlanner {
 public:
  TablespacePlanner(const GlobalsPlanInputs& inputs,
                    const GlobalsPlanOptions& options, FindingList& findings,
                    GlobalsPlan& plan)
      : inputs_(inputs), options_(options), findings_(findings), plan_(plan) {}

  void Plan() {
    CheckMappings();
    for (const ServerTablespace& tablespace : inputs_.source.tablespaces) {
      const ServerTablespace* present =
          inputs_.target.FindTablespace(tablespace.name);
      if (present != nullptr) {
        Existing(tablespace, *present);
      } else {
        Missing(tablespace);
      }
    }
  }

 private:
  void CheckMappings() {
    for (const TablespaceMapping& mapping : options_.tablespaces) {
      if (absl::c_any_of(inputs_.source.tablespaces,
                         [&](const ServerTablespace& tablespace) {
                           return Concerns(mapping, tablespace);
                         })) {
        continue;
      }
      findings_.Blocking(
          {"tablespace-mapping", absl::StrCat("tablespace ", mapping.from),
           "the source has none of that name or at that place, to be mapped",
           ""});
    }
  }

  void Missing(const ServerTablespace& tablespace) {
    const std::string location =
        TargetLocation(tablespace, options_.tablespaces);
    if (!inputs_.rights.superuser) {
      Skip(tablespace, absl::StrCat("role ", inputs_.rights.role,
                                    " is no superuser of the target, which "
                                    "making a tablespace needs"));
    } else if (location.empty()) {
      Skip(tablespace,
           "lies inside the source's data directory, and no "
           "location on the target is given");
    } else if (!inputs_.existing_directories.contains(location)) {
      Skip(tablespace, absl::StrCat("the target has no directory ", location));
    } else {
      Create(tablespace, location);
    }
  }

  void Skip(const ServerTablespace& tablespace, std::string reason) {
    plan_.skipped_tablespaces.push_back(tablespace.name);
    findings_.Warning(
        {"tablespace-skipped", Subject(tablespace),
         absl::StrCat(reason,
                      "; it is not made, and what lies in it goes to "
                      "the target's default tablespace"),
         "make the directory on the target for the server's user, or name "
         "another: --tablespace-mapping OLD=NEW"});
  }

  void Create(const ServerTablespace& tablespace, const std::string& location) {
    TablespacePlan made{.name = tablespace.name, .location = location};
    made.create = Statement(
        tablespace,
        absl::StrCat(
            "CREATE TABLESPACE ", QuoteIdentifier(tablespace.name), " OWNER ",
            QuoteIdentifier(tablespace.owner), " LOCATION ",
            QuoteLiteral(location),
            tablespace.options.empty()
                ? ""
                : absl::StrCat(" WITH ", OptionsSql(tablespace.options))));
    AddComment(tablespace, "", made);
    AddPrivileges(tablespace, std::nullopt, made);
    plan_.tablespaces.push_back(std::move(made));
  }

  void Existing(const ServerTablespace& tablespace,
                const ServerTablespace& present) {
    const std::vector<std::string> differences =
        Differences(tablespace, present);
    if (differences.empty()) return;
    const bool complete =
        options_.update_existing ||
        options_.tablespaces_begun.contains(tablespace.name) ||
        IsJustMade(tablespace, present,
                   TargetLocation(tablespace, options_.tablespaces));
    if (!complete || !inputs_.rights.superuser) {
      findings_.Warning(
          {"tablespace-exists", Subject(tablespace),
           absl::StrCat("exists on the target and is left as it is; on the "
                        "source it differs: ",
                        absl::StrJoin(differences, ", ")),
           "--update-existing, as a superuser, makes it as it is on the "
           "source"});
      return;
    }
    TablespacePlan altered{.name = tablespace.name,
                           .location = present.location};
    if (tablespace.owner != present.owner) {
      Add(tablespace,
          absl::StrCat(Alter(tablespace), " OWNER TO ",
                       QuoteIdentifier(tablespace.owner)),
          altered);
    }
    if (tablespace.options != present.options && !tablespace.options.empty()) {
      Add(tablespace,
          absl::StrCat(Alter(tablespace), " SET ",
                       OptionsSql(tablespace.options)),
          altered);
    }
    AddComment(tablespace, present.comment, altered);
    AddPrivileges(tablespace, present.privileges, altered);
    plan_.tablespaces.push_back(std::move(altered));
  }

  static std::string Alter(const ServerTablespace& tablespace) {
    return absl::StrCat("ALTER TABLESPACE ", QuoteIdentifier(tablespace.name));
  }

  static void AddComment(const ServerTablespace& tablespace,
                         absl::string_view present, TablespacePlan& plan) {
    if (tablespace.comment == present) return;
    Add(tablespace,
        absl::StrCat(
            "COMMENT ON TABLESPACE ", QuoteIdentifier(tablespace.name), " IS ",
            tablespace.comment.empty() ? "NULL"
                                       : QuoteLiteral(tablespace.comment)),
        plan);
  }

  static void AddPrivileges(const ServerTablespace& tablespace,
                            const Privileges& present, TablespacePlan& plan) {
    if (tablespace.privileges == present) return;
    for (std::string& sql : PrivilegeStatements(
             absl::StrCat("TABLESPACE ", QuoteIdentifier(tablespace.name)),
             tablespace.owner, tablespace.privileges)) {
      Add(tablespace, std::move(sql), plan);
    }
  }

  static GlobalStatement Statement(const ServerTablespace& tablespace,
                                   std::string sql) {
    return {.subject = Subject(tablespace), .sql = sql, .shown = sql};
  }

  static void Add(const ServerTablespace& tablespace, std::string sql,
                  TablespacePlan& plan) {
    plan.properties.push_back(Statement(tablespace, std::move(sql)));
  }

  const GlobalsPlanInputs& inputs_;
  const GlobalsPlanOptions& options_;
  FindingList& findings_;
  GlobalsPlan& plan_;
};

}  // namespace

std::string TargetLocation(const ServerTablespace& tablespace,
                           absl::Span<const TablespaceMapping> mappings) {
  for (const TablespaceMapping& mapping : mappings) {
    if (Concerns(mapping, tablespace)) return mapping.to;
  }
  return tablespace.location;
}

void PlanTablespaces(const GlobalsPlanInputs& inputs,
                     const GlobalsPlanOptions& options, FindingList& findings,
                     GlobalsPlan& plan) {
  TablespacePlanner(inputs, options, findings, plan).Plan();
}

}  // namespace walferry
