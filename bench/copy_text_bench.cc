// Rows of COPY text, in and out. Every byte is looked at, so bytes per second
// mean something here.

#include "protocol/copy_text.h"

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "bench/allocation_counter.h"
#include "benchmark/benchmark.h"

namespace walferry {
namespace {

constexpr size_t kRows = 256;

struct Shape {
  int columns = 0;
  size_t min_size = 0;
  size_t max_size = 0;
  int special_percent = 0;  // Of the bytes: those that need an escape.
};

constexpr Shape kAccounts = {.columns = 5, .min_size = 1, .max_size = 24};
constexpr Shape kOrders = {.columns = 20, .min_size = 0, .max_size = 32};
constexpr Shape kDocument = {
    .columns = 2, .min_size = 4096, .max_size = 4096, .special_percent = 2};

using Row = std::vector<std::optional<std::string>>;

std::vector<Row> Rows(Shape shape) {
  std::mt19937_64 random(1);
  std::vector<Row> rows(kRows, Row(static_cast<size_t>(shape.columns)));
  for (Row& row : rows) {
    for (std::optional<std::string>& value : row) {
      const size_t range = shape.max_size - shape.min_size + 1;
      value = std::string(shape.min_size + random() % range, 'v');
      for (char& byte : *value) {
        if (static_cast<int>(random() % 100) < shape.special_percent) {
          byte = "\\\n"[random() % 2];
        }
      }
    }
    row.back() = std::nullopt;
  }
  return rows;
}

void AppendRow(const Row& row, std::string* out) {
  for (size_t column = 0; column < row.size(); ++column) {
    if (column > 0) out->push_back('\t');
    AppendCopyText(row[column], out);
  }
  out->push_back('\n');
}

// The values of a line, or an empty row if it is malformed.
Row ReadRow(const std::string& line) {
  Row values;
  std::string buffer;
  for (CopyTextRow row(line); !row.done();) {
    const std::optional<absl::string_view> field = row.Next();
    if (!field.has_value()) {
      values.push_back(std::nullopt);
      continue;
    }
    const absl::StatusOr<absl::string_view> value =
        UnescapeCopyText(*field, &buffer);
    if (!value.ok()) return {};
    values.push_back(std::string(*value));
  }
  return values;
}

void BM_ReadCopyText(benchmark::State& state, Shape shape) {
  std::vector<std::string> lines;
  int64_t size = 0;
  for (const Row& row : Rows(shape)) {
    AppendRow(row, &lines.emplace_back());
    size += static_cast<int64_t>(lines.back().size());
    if (ReadRow(lines.back()) != row) {  // Never time a path that fails.
      state.SkipWithError("a row does not come back as it was");
      return;
    }
  }
  std::string buffer(shape.max_size, '\0');
  CountAllocations allocations(state);
  for (auto _ : state) {
    size_t bytes = 0;
    for (const std::string& line : lines) {
      for (CopyTextRow row(line); !row.done();) {
        const std::optional<absl::string_view> field = row.Next();
        if (!field.has_value()) continue;
        bytes += UnescapeCopyText(*field, &buffer)->size();
      }
    }
    benchmark::DoNotOptimize(bytes);
  }
  allocations.Report(static_cast<int64_t>(lines.size()));
  state.SetBytesProcessed(size * static_cast<int64_t>(state.iterations()));
}

void BM_WriteCopyText(benchmark::State& state, Shape shape) {
  const std::vector<Row> rows = Rows(shape);
  std::string out;
  for (const Row& row : rows) AppendRow(row, &out);
  const auto size = static_cast<int64_t>(out.size());
  CountAllocations allocations(state);
  for (auto _ : state) {
    out.clear();
    for (const Row& row : rows) AppendRow(row, &out);
    benchmark::DoNotOptimize(out.data());
  }
  allocations.Report(static_cast<int64_t>(rows.size()));
  state.SetBytesProcessed(size * static_cast<int64_t>(state.iterations()));
}

BENCHMARK_CAPTURE(BM_ReadCopyText, accounts, kAccounts);
BENCHMARK_CAPTURE(BM_ReadCopyText, orders, kOrders);
BENCHMARK_CAPTURE(BM_ReadCopyText, document, kDocument);
BENCHMARK_CAPTURE(BM_WriteCopyText, accounts, kAccounts);
BENCHMARK_CAPTURE(BM_WriteCopyText, orders, kOrders);
BENCHMARK_CAPTURE(BM_WriteCopyText, document, kDocument);

}  // namespace
}  // namespace walferry

BENCHMARK_MAIN();
