#ifndef TOOLS_REDACTION_H_
#define TOOLS_REDACTION_H_

// Keeps passwords out of everything that walferry shows.

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace walferry {

// Where in a connection string the passwords are: the one of a URI's user
// part, and the values of password and sslpassword. Reads generously: what
// libpq would refuse may hold a password too.
struct TextSpan {
  size_t begin = 0;
  size_t size = 0;
};
std::vector<TextSpan> PasswordSpans(absl::string_view conninfo);

// The connection string with *** for each password; other text is returned as
// it is.
std::string RedactConnInfo(absl::string_view conninfo);

// Overwrites the passwords of all arguments in place, so that the system's
// list of processes does not show them. Arguments keep their lengths.
void WipePasswords(int argc, char** argv);

// Takes known passwords out of any text. Thread-safe once built.
class Redactor {
 public:
  Redactor() = default;

  // Remembers the passwords of a connection string, as written and decoded.
  // Not those that are too short or too plain to be told from ordinary words:
  // fewer than four bytes, or the connection's own user or database name.
  void AddConnInfo(absl::string_view conninfo);

  // `text` with *** for every remembered password and for the password of
  // every URI in it.
  std::string Redact(absl::string_view text) const;

 private:
  void AddSecret(absl::string_view secret, absl::string_view conninfo);

  std::vector<std::string> secrets_;  // Longest first.
};

}  // namespace walferry

#endif  // TOOLS_REDACTION_H_
