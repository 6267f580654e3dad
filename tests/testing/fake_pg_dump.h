#ifndef TESTS_TESTING_FAKE_PG_DUMP_H_
#define TESTS_TESTING_FAKE_PG_DUMP_H_

// Clients of any version, to see what is said of them.

#include <string>

#include "absl/strings/string_view.h"

namespace walferry {

// Writes a pg_dump into the directory that calls itself that version and does
// no more, and a pg_restore beside it that does nothing. Returns the path of
// pg_dump.
std::string WriteFakePgDump(const std::string& directory,
                            absl::string_view version);

// Writes a pg_dump into the directory that does what `pg_dump` does and then,
// if that went well and was a dump, runs `command` of the shell; pg_restore
// beside it is the other one's. Returns the path of pg_dump.
std::string WritePgDumpAround(const std::string& directory,
                              const std::string& pg_dump,
                              absl::string_view command);

}  // namespace walferry

#endif  // TESTS_TESTING_FAKE_PG_DUMP_H_
