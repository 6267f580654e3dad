#ifndef ENGINE_SCOPE_H_
#define ENGINE_SCOPE_H_

// Which schemas and tables of a database take part, and what of them.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "protocol/quoting.h"

namespace walferry {

// What of the schemas and tables is carried.
enum class ScopePart {
  kAll,
  kSchema,  // What is created: no rows, no sequences' values.
  kRows,    // Into tables and sequences that are there already.
};

// Glob patterns (* ? [abc], case-sensitive, fnmatch(3)). A table pattern is
// "table" (in any schema) or "schema.table"; the first dot divides. An empty
// list of --schema or --table includes everything; exclusion wins.
struct ScopeOptions {
  std::vector<std::string> schemas;
  std::vector<std::string> exclude_schemas;
  std::vector<std::string> tables;
  std::vector<std::string> exclude_tables;
  // The table itself is created, its rows neither copied nor followed.
  std::vector<std::string> exclude_table_data;
  // Their rows come last, when the target is in use already
  // (engine/catalog/delayed_tables.h).
  std::vector<std::string> delay_table_data;
  ScopePart part = ScopePart::kAll;

  bool carries_schema() const { return part != ScopePart::kRows; }
  bool carries_rows() const { return part != ScopePart::kSchema; }

  friend bool operator==(const ScopeOptions&, const ScopeOptions&) = default;
};

class Scope {
 public:
  // kInvalidArgument: a pattern is empty or malformed (which, and why).
  static absl::StatusOr<Scope> Create(ScopeOptions options);

  // System schemas (pg_*, information_schema) are never included.
  bool IncludesSchema(absl::string_view schema) const;
  // A partition goes with its `ancestors` (from its parent to the root, any
  // order): it is excluded if it or one of them is, and asked for if it or one
  // of them is.
  bool IncludesTable(const QualifiedName& table,
                     absl::Span<const QualifiedName> ancestors = {}) const;
  // Implies IncludesTable, and that rows are carried at all.
  bool IncludesData(const QualifiedName& table,
                    absl::Span<const QualifiedName> ancestors = {}) const;
  // Implies IncludesData.
  bool DelaysData(const QualifiedName& table,
                  absl::Span<const QualifiedName> ancestors = {}) const;

  const ScopeOptions& options() const { return options_; }

 private:
  explicit Scope(ScopeOptions options) : options_(std::move(options)) {}
  ScopeOptions options_;
};

}  // namespace walferry

#endif  // ENGINE_SCOPE_H_
