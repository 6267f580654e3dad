#ifndef TOOLS_VERIFY_REPORT_H_
#define TOOLS_VERIFY_REPORT_H_

// What a comparison of two databases has found: for a terminal, for programs
// (docs/verify.md documents every field; a test holds the two together), and as
// a page to keep.

#include <cstdint>
#include <string>

#include "tools/redaction.h"
#include "tools/verify_account.h"

namespace walferry {

// Several lines, the last one ended too; not redacted. At most
// `max_differences` rows of each table.
std::string VerifyText(const VerifyAccount& account, int64_t max_differences);

std::string VerifyJson(const VerifyAccount& account, const Redactor& redactor);

// One file that needs no other.
std::string VerifyHtml(const VerifyAccount& account, const Redactor& redactor);

}  // namespace walferry

#endif  // TOOLS_VERIFY_REPORT_H_
