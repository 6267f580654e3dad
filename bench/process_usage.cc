#include "bench/process_usage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tests/testing/read_file.h"

namespace walferry {
namespace {

// Two neighbouring fields of /proc/PID/stat, in user mode and in the kernel, as
// the manual page proc(5) counts fields from 1. Zero if there is no process.
absl::Duration StatTime(pid_t pid, size_t user_field) {
  constexpr size_t kFirstBehindName = 3;
  const std::string stat = ReadFile(absl::StrCat("/proc/", pid, "/stat"));
  // "PID (NAME) STATE ...", and the name may hold anything.
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return absl::ZeroDuration();
  const std::vector<std::string> fields =
      absl::StrSplit(stat.substr(name_end + 1), ' ', absl::SkipEmpty());
  const size_t place = user_field - kFirstBehindName;
  int64_t user = 0;
  int64_t system = 0;
  if (fields.size() <= place + 1 || !absl::SimpleAtoi(fields[place], &user) ||
      !absl::SimpleAtoi(fields[place + 1], &system)) {
    return absl::ZeroDuration();
  }
  return absl::Seconds(1) * (user + system) / sysconf(_SC_CLK_TCK);
}

absl::Duration EndedChildrenOf(pid_t pid) { return StatTime(pid, 16); }

}  // namespace

absl::Duration CpuTimeOf(pid_t pid) { return StatTime(pid, 14); }

int64_t PeakKibOf(pid_t pid) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  std::string line;
  while (std::getline(status, line)) {
    int64_t kib = 0;
    if (std::sscanf(line.c_str(), "VmHWM: %ld kB", &kib) == 1) return kib;
  }
  return 0;
}

absl::Duration CpuTimeOfChildren() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return absl::DurationFromTimeval(usage.ru_utime) +
         absl::DurationFromTimeval(usage.ru_stime);
}

absl::Duration CpuTimeOfServer(pid_t postmaster) {
  absl::Duration total = CpuTimeOf(postmaster) + EndedChildrenOf(postmaster);
  const std::string children = ReadFile(
      absl::StrCat("/proc/", postmaster, "/task/", postmaster, "/children"));
  for (const absl::string_view child :
       absl::StrSplit(children, ' ', absl::SkipEmpty())) {
    pid_t pid = 0;
    if (absl::SimpleAtoi(child, &pid)) total += CpuTimeOf(pid);
  }
  return total;
}

}  // namespace walferry
