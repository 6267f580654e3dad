#include "bench/copy/result_table.h"

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace walferry {
namespace {

constexpr char kLine[] = "%-9s %7s %7s %7s  %7s %7s %7s  %6s  %s\n";

std::string Seconds(absl::Duration duration) {
  return absl::StrFormat("%.2f", absl::ToDoubleSeconds(duration));
}

std::string Ratio(const std::optional<CopyRun>& of,
                  const std::optional<CopyRun>& to) {
  if (!of.has_value() || !to.has_value()) return "-";
  return absl::StrFormat("%.2f", absl::FDivDuration(of->elapsed, to->elapsed));
}

std::string PeakMib(const CopyRun& run) {
  if (!run.client_peak_kib.has_value()) return "-";
  return absl::StrCat(*run.client_peak_kib / 1024);
}

std::string Parts(const CopyRun& run) {
  return absl::StrJoin(
      run.parts, ", ", [](std::string* out, const CopyPart& part) {
        absl::StrAppend(out, part.name, " ", Seconds(part.elapsed));
      });
}

void PrintLine(const char* name, const std::optional<CopyRun>& run,
               const CopyResult& result) {
  if (!run.has_value()) return;
  absl::PrintF(kLine, name, Seconds(run->elapsed), Ratio(run, result.floor),
               Ratio(result.dump, run), Seconds(run->client_cpu),
               Seconds(run->source_cpu), Seconds(run->target_cpu),
               PeakMib(*run), Parts(*run));
}

}  // namespace

void PrintCopyHeader(const CopySetting& setting) {
  absl::PrintF("PostgreSQL %s, %.2f GB, %s\n", setting.server_version,
               static_cast<double>(setting.database_bytes) / 1e9,
               setting.dump_command);
  absl::PrintF(kLine, "", "", "", "dump", "CPU s", "CPU s", "CPU s", "peak",
               "");
  absl::PrintF(kLine, "", "s", "/floor", "/this", "client", "source", "target",
               "MiB", "of that");
  std::fflush(stdout);
}

void PrintCopyLines(const CopyResult& result) {
  PrintLine("dump", result.dump, result);
  PrintLine("floor", result.floor, result);
  PrintLine("walferry", result.walferry, result);
  std::fflush(stdout);
}

}  // namespace walferry
