// Building a batch from decoded messages: the copy that every change pays.

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apply/change_batch.h"
#include "apply/source_relation.h"
#include "bench/allocation_counter.h"
#include "benchmark/benchmark.h"
#include "protocol/byte_writer.h"
#include "protocol/pgoutput.h"

namespace walferry {
namespace {

constexpr int kChanges = 1000;

struct Shape {
  int columns = 0;
  size_t width = 0;
};

constexpr Shape kHistory = {.columns = 5, .width = 6};  // pgbench_history
constexpr Shape kWide = {.columns = 20, .width = 16};
constexpr Shape kDocument = {.columns = 2, .width = 8192};

void AppendRow(Shape shape, int number, std::string* payload) {
  AppendBigEndian(static_cast<uint16_t>(shape.columns), payload);
  for (int column = 0; column < shape.columns; ++column) {
    std::string value = absl::StrCat(number);
    value.resize(shape.width, 'v');
    payload->push_back('t');
    AppendBigEndian(static_cast<uint32_t>(value.size()), payload);
    payload->append(value);
  }
}

std::vector<std::string> InsertPayloads(Shape shape) {
  std::vector<std::string> payloads;
  for (int number = 0; number < kChanges; ++number) {
    std::string payload("I\0\0\0\7N", 6);
    AppendRow(shape, number, &payload);
    payloads.push_back(std::move(payload));
  }
  return payloads;
}

std::shared_ptr<const SourceRelation> RelationOf(Shape shape) {
  SourceRelation relation{.id = 7, .name = {"public", "t"}};
  for (int column = 0; column < shape.columns; ++column) {
    relation.columns.push_back(
        {.name = absl::StrCat("c", column), .key = column == 0});
  }
  return std::make_shared<const SourceRelation>(std::move(relation));
}

// Whether the batch says what the payloads said.
bool Holds(const ChangeBatch& batch, Shape shape) {
  if (batch.changes().size() != kChanges) return false;
  for (int number = 0; number < kChanges; ++number) {
    const Change& change = batch.changes()[static_cast<size_t>(number)];
    std::string value = absl::StrCat(number);
    value.resize(shape.width, 'v');
    if (change.row.size() != static_cast<size_t>(shape.columns)) return false;
    if (change.row.back().value != value) return false;
  }
  return true;
}

// One transaction of a thousand inserts.
void Fill(const std::vector<Insert>& inserts,
          const std::shared_ptr<const SourceRelation>& relation,
          ChangeBatch& batch) {
  batch.BeginTransaction({.final_lsn = Lsn(0x10), .xid = 9});
  for (const Insert& insert : inserts) batch.AddInsert(relation, insert);
  batch.CommitTransaction({.commit_lsn = Lsn(0x10), .end_lsn = Lsn(0x20)});
}

void BM_BuildBatch(benchmark::State& state, Shape shape) {
  const std::vector<std::string> payloads = InsertPayloads(shape);
  const auto relation = RelationOf(shape);
  std::vector<Insert> inserts;
  int64_t size = 0;
  for (const std::string& payload : payloads) {
    inserts.push_back(std::get<Insert>(*DecodeMessage(payload)));
    size += static_cast<int64_t>(payload.size());
  }
  ChangeBatch checked;
  Fill(inserts, relation, checked);
  if (!Holds(checked, shape)) {
    state.SkipWithError("the batch is not what was put in");
    return;
  }
  CountAllocations allocations(state);
  for (auto _ : state) {
    ChangeBatch batch;
    Fill(inserts, relation, batch);
    benchmark::DoNotOptimize(batch.changes().data());
  }
  allocations.Report(kChanges);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * size);
}

// What the reader's thread does per message in all.
void BM_DecodeAndBuildBatch(benchmark::State& state, Shape shape) {
  const std::vector<std::string> payloads = InsertPayloads(shape);
  const auto relation = RelationOf(shape);
  int64_t size = 0;
  for (const std::string& payload : payloads) {
    size += static_cast<int64_t>(payload.size());
  }
  CountAllocations allocations(state);
  for (auto _ : state) {
    ChangeBatch batch;
    batch.BeginTransaction({.final_lsn = Lsn(0x10), .xid = 9});
    const size_t table = batch.AddDecodedTable(relation);
    for (const std::string& payload : payloads) {
      const absl::StatusOr<Message> message = DecodeMessage(payload);
      batch.CountDecoded(table, ChangeKind::kInsert);
      batch.AddInsert(relation, std::get<Insert>(*message));
    }
    batch.CommitTransaction({.commit_lsn = Lsn(0x10), .end_lsn = Lsn(0x20)});
    if (batch.changes().size() != kChanges) {
      state.SkipWithError("changes are missing");
    }
  }
  allocations.Report(kChanges);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * size);
}

BENCHMARK_CAPTURE(BM_BuildBatch, History, kHistory);
BENCHMARK_CAPTURE(BM_BuildBatch, Wide, kWide);
BENCHMARK_CAPTURE(BM_BuildBatch, Document, kDocument);
BENCHMARK_CAPTURE(BM_DecodeAndBuildBatch, History, kHistory);
BENCHMARK_CAPTURE(BM_DecodeAndBuildBatch, Wide, kWide);
BENCHMARK_CAPTURE(BM_DecodeAndBuildBatch, Document, kDocument);

}  // namespace
}  // namespace walferry

BENCHMARK_MAIN();
