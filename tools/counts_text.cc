#include "tools/counts_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/human_format.h"
#include "tools/terminal_row.h"

namespace walferry {
namespace {

// Of those whose counts agree.
constexpr size_t kMaxTables = 10;

using Counted = const CountsByTable::value_type*;

struct Line {
  std::string name;
  ChangeCounts counts;
  std::string remark;
};

std::vector<Counted> ByUrgency(const CountsByTable& counts) {
  std::vector<Counted> tables;
  for (const auto& table : counts) tables.push_back(&table);
  // By name where all else is equal, as they come.
  absl::c_stable_sort(tables, [](Counted a, Counted b) {
    return std::tuple(a->second.agree(), -a->second.applied.total()) <
           std::tuple(b->second.agree(), -b->second.applied.total());
  });
  return tables;
}

std::vector<Line> LinesOf(const CountsByTable& counts) {
  std::vector<Line> lines;
  Line rest;
  int64_t tables_of_rest = 0;
  for (const Counted table : ByUrgency(counts)) {
    const auto& [decoded, applied] = table->second;
    if (table->second.agree() && lines.size() >= kMaxTables) {
      rest.counts += applied;
      ++tables_of_rest;
      continue;
    }
    lines.push_back({.name = ToDisplay(table->first),
                     .counts = applied,
                     .remark = table->second.agree() ? "" : "applied"});
    if (table->second.agree()) continue;
    lines.push_back({.name = "", .counts = decoded, .remark = "decoded"});
  }
  if (tables_of_rest > 0) {
    rest.name = HumanCount(tables_of_rest, "more table", "more tables");
    lines.push_back(rest);
  }
  return lines;
}

}  // namespace

std::string AgreementText(const CountsByTable& counts, Lsn since) {
  const int64_t wrong = absl::c_count_if(
      counts, [](const auto& table) { return !table.second.agree(); });
  if (wrong == 0) {
    return absl::StrCat("as many applied as decoded since ", since.ToString());
  }
  return absl::StrCat("not as many applied as decoded of ",
                      HumanCount(wrong, "table", "tables"), " since ",
                      since.ToString());
}

std::string CountsText(const CountsByTable& counts) {
  if (counts.empty()) return "";
  const std::vector<Line> lines = LinesOf(counts);
  size_t width = sizeof "changes of" - 1;
  for (const Line& line : lines) width = std::max(width, ColumnsOf(line.name));
  const auto padded = [&](const std::string& name) {
    return name + std::string(width - ColumnsOf(name), ' ');
  };
  std::string text =
      absl::StrFormat("\n%s %15s %15s %15s %10s\n", padded("changes of"),
                      "inserts", "updates", "deletes", "truncates");
  for (const auto& [name, of, remark] : lines) {
    absl::StrAppendFormat(&text, "%s %15s %15s %15s %10s%s%s\n", padded(name),
                          HumanCount(of.inserts), HumanCount(of.updates),
                          HumanCount(of.deletes), HumanCount(of.truncates),
                          remark.empty() ? "" : "  ", remark);
  }
  return text;
}

}  // namespace walferry
