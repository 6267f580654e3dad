#ifndef PROTOCOL_QUOTING_H_
#define PROTOCOL_QUOTING_H_

// Names and values as SQL text. Bytes in, bytes out: valid for every server
// encoding (none of them has a quote or backslash inside a longer character).

#include <string>
#include <tuple>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace walferry {

// A relation, type or function by its two names, unquoted.
struct QualifiedName {
  std::string schema;
  std::string name;

  friend bool operator==(const QualifiedName&, const QualifiedName&) = default;
  friend auto operator<=>(const QualifiedName&, const QualifiedName&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const QualifiedName& n) {
    return H::combine(std::move(h), n.schema, n.name);
  }
};

// "name" with inner double quotes doubled. Always quoted, so that reserved
// words and upper case need no thought.
std::string QuoteIdentifier(absl::string_view name);

// "schema"."name".
std::string Quote(const QualifiedName& name);

// schema.name as a person would write it: quoted only where it must be. For
// messages, never for SQL.
std::string ToDisplay(const QualifiedName& name);

// 'text', or E'text' when it holds a backslash: right under either setting of
// standard_conforming_strings.
std::string QuoteLiteral(absl::string_view text);

// ARRAY['text', ...]::text[], for `= ANY (...)`; also of no text at all.
std::string QuoteTextArray(absl::Span<const std::string> texts);

// 'text' for the replication grammar, which knows neither E'' nor backslash
// escapes (repl_scanner.l).
std::string QuoteReplicationLiteral(absl::string_view text);

// The value of START_REPLICATION's publication_names: each name an identifier,
// joined by commas, the whole a replication literal.
std::string QuotePublicationNames(absl::Span<const std::string> names);

}  // namespace walferry

#endif  // PROTOCOL_QUOTING_H_
