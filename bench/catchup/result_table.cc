#include "bench/catchup/result_table.h"

#include <cstdio>
#include <optional>
#include <string>

#include "absl/strings/str_format.h"

namespace walferry {
namespace {

constexpr char kLine[] = "%-8s %6s %7s %8s  %7s %8s  %6s %6s  %6s %6s %6s  %6s";
constexpr char kDelays[] = "  %8s %8s %7s";

std::string Cell(std::optional<double> figure, int decimals = 2) {
  if (!figure.has_value()) return "-";
  return absl::StrFormat("%.*f", decimals, *figure);
}

std::optional<double> Seconds(const std::optional<CatchUp>& run,
                              absl::Duration CatchUp::*figure) {
  if (!run.has_value()) return {};
  return absl::ToDoubleSeconds((*run).*figure);
}

std::optional<double> Elapsed(const std::optional<CatchUp>& run) {
  return Seconds(run, &CatchUp::elapsed);
}

std::optional<double> Ratio(const std::optional<CatchUp>& run,
                            const DrainResult& floor) {
  if (!run.has_value()) return {};
  return absl::FDivDuration(run->elapsed, floor.elapsed);
}

std::optional<double> PeakMib(const std::optional<CatchUp>& run) {
  if (!run.has_value()) return {};
  return static_cast<double>(run->client_peak_kib) / 1024;
}

}  // namespace

void PrintTableHeader(absl::Duration round_trip) {
  absl::PrintF(kLine, "", "floor", "native", "walferry", "native", "walferry",
               "native", "CPU s", "walf.", "CPU s", "", "peak");
  if (round_trip > absl::ZeroDuration()) {
    absl::PrintF(kDelays, "proxied", absl::FormatDuration(round_trip), "loss");
  }
  absl::PrintF("\n");
  absl::PrintF(kLine, "workload", "s", "s", "s", "/floor", "/floor", "sender",
               "target", "itself", "sender", "target", "MiB");
  if (round_trip > absl::ZeroDuration()) {
    absl::PrintF(kDelays, "s", "s", "%");
  }
  absl::PrintF("\n");
  std::fflush(stdout);
}

void PrintTableLine(const Result& result, absl::Duration round_trip) {
  absl::PrintF(kLine, result.workload,
               Cell(absl::ToDoubleSeconds(result.floor.elapsed)),
               Cell(Elapsed(result.native)), Cell(Elapsed(result.walferry)),
               Cell(Ratio(result.native, result.floor)),
               Cell(Ratio(result.walferry, result.floor)),
               Cell(Seconds(result.native, &CatchUp::walsender_cpu)),
               Cell(Seconds(result.native, &CatchUp::target_cpu)),
               Cell(Seconds(result.walferry, &CatchUp::client_cpu)),
               Cell(Seconds(result.walferry, &CatchUp::walsender_cpu)),
               Cell(Seconds(result.walferry, &CatchUp::target_cpu)),
               Cell(PeakMib(result.walferry), 0));
  if (round_trip > absl::ZeroDuration()) {
    absl::PrintF(kDelays, Cell(Elapsed(result.proxied)),
                 Cell(Elapsed(result.delayed)), Cell(LossPercent(result), 0));
  }
  absl::PrintF("\n");
  std::fflush(stdout);
}

}  // namespace walferry
