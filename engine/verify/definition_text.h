#ifndef ENGINE_VERIFY_DEFINITION_TEXT_H_
#define ENGINE_VERIFY_DEFINITION_TEXT_H_

// Whether two definitions that servers have written (pg_get_viewdef() and its
// like) say the same.

#include "absl/strings/string_view.h"

namespace walferry {

struct Definition {
  absl::string_view text;
  int server_version = 0;  // As PgConnection::server_version().
};

// Both are as a session with an empty search_path reads them. Equal texts are
// the same; so are texts whose words are the same in the same order but for
// what a server writes otherwise after it has read its own text, or than an
// older one does:
//
//   white space, upper and lower case of words, quotes around names
//   parentheses around parentheses, or around one name, string or number and
//     its casts, where they do not follow a word (they may be a call's)
//   a cast of an array: varchar IN ('a') is written as (ARRAY['a'])::text[],
//     and once that is read, as ARRAY[('a')::text]. All other casts stand
//     where they stood, and are to the same type.
//   a table's name before a column's, where a server before 16 has it and one
//     of 16 or later has not
//   EXECUTE PROCEDURE, which is EXECUTE FUNCTION since 12
//
// What is in quotes is compared byte by byte.
bool SameDefinition(const Definition& one, const Definition& other);

}  // namespace walferry

#endif  // ENGINE_VERIFY_DEFINITION_TEXT_H_
