#include "tests/testing/fake_pg_dump.h"

#include <sys/stat.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

void WriteProgram(const std::string& path, absl::string_view command) {
  std::ofstream(path) << "#!/bin/sh\n" << command << "\n";
  EXPECT_EQ(chmod(path.c_str(), 0755), 0) << path;
}

}  // namespace

std::string WriteFakePgDump(const std::string& directory,
                            absl::string_view version) {
  const std::string pg_dump = directory + "/pg_dump";
  WriteProgram(pg_dump,
               absl::StrCat("echo 'pg_dump (PostgreSQL) ", version, "'"));
  WriteProgram(directory + "/pg_restore", "true");
  return pg_dump;
}

std::string WritePgDumpAround(const std::string& directory,
                              const std::string& pg_dump,
                              absl::string_view command) {
  const std::string around = directory + "/pg_dump";
  WriteProgram(around,
               absl::StrCat("'", pg_dump, "' \"$@\" || exit\n",
                            "[ \"$1\" = --version ] && exit\n", command));
  WriteProgram(
      directory + "/pg_restore",
      absl::StrCat("exec \"$(dirname '", pg_dump, "')/pg_restore\" \"$@\""));
  return around;
}

}  // namespace walferry
