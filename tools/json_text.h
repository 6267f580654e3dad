#ifndef TOOLS_JSON_TEXT_H_
#define TOOLS_JSON_TEXT_H_

// How walferry writes JSON, wherever it does.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tools/redaction.h"

namespace walferry {

// Keeps its keys in the order in which they were added.
using Json = nlohmann::ordered_json;

// The value as text, one line if `indent` is negative. Every string in it is
// redacted, but for keys and for the fields whose words, positions and times
// are walferry's own ("phase", "applied_lsn", ...): whatever a password is, it
// does not change what a program reads. Bytes that are not UTF-8 (names may
// come from a database in any encoding) become U+FFFD.
std::string JsonText(Json json, const Redactor& redactor, int indent = -1);

// The same for a value that is text already.
std::string RedactJson(absl::string_view json, const Redactor& redactor,
                       int indent = -1);

// "2026-08-25T12:00:01.123Z".
std::string JsonTime(absl::Time time);

// Seconds, to the millisecond.
double JsonSeconds(absl::Duration duration);

}  // namespace walferry

#endif  // TOOLS_JSON_TEXT_H_
