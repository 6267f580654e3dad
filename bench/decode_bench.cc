// Decoding pgoutput messages and walking their rows.
//
// Each benchmark decodes a run of messages that lie one behind the other, as in
// a receive buffer, with values of varying length; an item is one message.
// Nothing touches the values, so bytes per second would mean nothing.

#include <random>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/allocation_counter.h"
#include "benchmark/benchmark.h"
#include "protocol/pgoutput.h"
#include "protocol/transaction_state.h"
#include "tests/testing/wire.h"

namespace walferry {
namespace {

constexpr size_t kMessages = 256;

// Messages in one buffer, and what decoding them must find.
class Messages {
 public:
  void Add(const std::string& message) {
    ends_.push_back(bytes_.size() + message.size());
    bytes_ += message;
  }

  size_t size() const { return ends_.size(); }
  absl::string_view operator[](size_t index) const {
    const size_t begin = index == 0 ? 0 : ends_[index - 1];
    return absl::string_view(bytes_).substr(begin, ends_[index] - begin);
  }

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
};

// What a row holds, for values that differ from message to message.
struct Shape {
  int columns = 0;
  size_t min_size = 0;
  size_t max_size = 0;
  char kind = 't';
};

constexpr Shape kAccounts = {.columns = 5, .min_size = 1, .max_size = 24};
constexpr Shape kBinaryAccounts = {
    .columns = 5, .min_size = 4, .max_size = 16, .kind = 'b'};
constexpr Shape kOrders = {.columns = 20, .min_size = 0, .max_size = 32};
constexpr Shape kDocument = {
    .columns = 2, .min_size = 65536, .max_size = 65536};

class RowSource {
 public:
  explicit RowSource(Shape shape) : shape_(shape) {}

  Wire Row() {
    Wire row;
    row.Int16(static_cast<uint16_t>(shape_.columns));
    for (int column = 0; column < shape_.columns; ++column) {
      row.Byte(shape_.kind).Counted(Value());
    }
    return row;
  }

  // A key of one column and NULLs.
  Wire Key() {
    Wire row;
    row.Int16(static_cast<uint16_t>(shape_.columns)).Text(Value());
    for (int column = 1; column < shape_.columns; ++column) row.Null();
    return row;
  }

 private:
  std::string Value() {
    const size_t range = shape_.max_size - shape_.min_size + 1;
    return std::string(shape_.min_size + random_() % range, 'v');
  }

  Shape shape_;
  std::mt19937_64 random_{1};
};

Messages Inserts(Shape shape) {
  RowSource rows(shape);
  Messages messages;
  while (messages.size() < kMessages) {
    messages.Add(Wire('I').Int32(16524).Byte('N').Bytes(rows.Row().str()));
  }
  return messages;
}

Messages KeyUpdates(Shape shape) {
  RowSource rows(shape);
  Messages messages;
  while (messages.size() < kMessages) {
    messages.Add(Wire('U')
                     .Int32(16524)
                     .Byte('K')
                     .Bytes(rows.Key().str())
                     .Byte('N')
                     .Bytes(rows.Row().str()));
  }
  return messages;
}

Messages Deletes(Shape shape) {
  RowSource rows(shape);
  Messages messages;
  while (messages.size() < kMessages) {
    messages.Add(Wire('D').Int32(16524).Byte('K').Bytes(rows.Key().str()));
  }
  return messages;
}

Messages Relations(Shape shape) {
  Wire relation = Wire('R').Int32(16524).String("public").String("orders");
  relation.Byte('d').Int16(static_cast<uint16_t>(shape.columns));
  for (int column = 0; column < shape.columns; ++column) {
    relation.Byte(column == 0 ? 1 : 0)
        .String(absl::StrCat("column_", column))
        .Int32(25)
        .Int32(~0u);
  }
  Messages messages;
  while (messages.size() < kMessages) messages.Add(relation);
  return messages;
}

// pgbench's transaction: three updates and an insert.
Messages Transactions() {
  RowSource rows({.columns = 4, .min_size = 1, .max_size = 10});
  Messages messages;
  while (messages.size() < kMessages) {
    messages.Add(Wire('B').Int64(0x100).Int64(3).Int32(735));
    for (int update = 0; update < 3; ++update) {
      messages.Add(Wire('U').Int32(16524).Byte('N').Bytes(rows.Row().str()));
    }
    messages.Add(Wire('I').Int32(16524).Byte('N').Bytes(rows.Row().str()));
    messages.Add(Wire('C').Byte(0).Int64(0x100).Int64(0x130).Int64(3));
  }
  return messages;
}

size_t BytesIn(const TupleView& row) {
  size_t bytes = 0;
  for (TupleView::Walker walk(row); !walk.done();) {
    bytes += walk.Next().value.size();
  }
  return bytes;
}

// The bytes of all values: proof that every column was seen.
size_t Walk(const Message& message) {
  if (const auto* insert = std::get_if<Insert>(&message)) {
    return BytesIn(insert->row);
  }
  if (const auto* update = std::get_if<Update>(&message)) {
    return BytesIn(update->old_row) + BytesIn(update->row);
  }
  if (const auto* deletion = std::get_if<Delete>(&message)) {
    return BytesIn(deletion->old_row);
  }
  if (const auto* relation = std::get_if<Relation>(&message)) {
    size_t bytes = 0;
    for (RelationColumns::Walker walk(relation->columns); !walk.done();) {
      bytes += walk.Next().name.size();
    }
    return bytes;
  }
  return 0;
}

// Never time a path that fails: everything decodes, in order, and what is not
// a value is what the format says.
bool Verify(benchmark::State& state, const Messages& messages) {
  for (size_t index = 0; index < messages.size(); ++index) {
    const absl::StatusOr<Message> message = DecodeMessage(messages[index]);
    if (!message.ok()) {
      state.SkipWithError("the benchmark's own message does not decode");
      return false;
    }
    if (messages[index][0] == 'I') {
      const size_t columns = std::get<Insert>(*message).row.size();
      if (Walk(*message) + 8 + 5 * columns != messages[index].size()) {
        state.SkipWithError("the walk missed bytes");
        return false;
      }
    }
  }
  return true;
}

void BM_Decode(benchmark::State& state, const Messages& messages) {
  if (!Verify(state, messages)) return;
  CountAllocations allocations(state);
  for (auto _ : state) {
    size_t bytes = 0;
    for (size_t index = 0; index < messages.size(); ++index) {
      bytes += Walk(*DecodeMessage(messages[index]));
    }
    benchmark::DoNotOptimize(bytes);
  }
  allocations.Report(static_cast<int64_t>(messages.size()));
}

// The same with the order of the messages checked, as a reader must.
void BM_DecodeInOrder(benchmark::State& state, const Messages& messages) {
  if (!Verify(state, messages)) return;
  CountAllocations allocations(state);
  TransactionState order;
  for (auto _ : state) {
    size_t bytes = 0;
    for (size_t index = 0; index < messages.size(); ++index) {
      const absl::StatusOr<Message> message = DecodeMessage(
          messages[index], {.in_stream_block = order.in_stream_block()});
      if (!order.Accept(*message).ok()) state.SkipWithError("out of order");
      bytes += Walk(*message);
    }
    benchmark::DoNotOptimize(bytes);
  }
  allocations.Report(static_cast<int64_t>(messages.size()));
}

BENCHMARK_CAPTURE(BM_Decode, insert_5_text, Inserts(kAccounts));
BENCHMARK_CAPTURE(BM_Decode, insert_5_binary, Inserts(kBinaryAccounts));
BENCHMARK_CAPTURE(BM_Decode, insert_20_text, Inserts(kOrders));
BENCHMARK_CAPTURE(BM_Decode, insert_document, Inserts(kDocument));
BENCHMARK_CAPTURE(BM_Decode, update_5_text_key, KeyUpdates(kAccounts));
BENCHMARK_CAPTURE(BM_Decode, update_20_text_key, KeyUpdates(kOrders));
BENCHMARK_CAPTURE(BM_Decode, delete_5_key, Deletes(kAccounts));
BENCHMARK_CAPTURE(BM_Decode, relation_20, Relations(kOrders));
BENCHMARK_CAPTURE(BM_Decode, pgbench_transactions, Transactions());
BENCHMARK_CAPTURE(BM_DecodeInOrder, pgbench_transactions, Transactions());

}  // namespace
}  // namespace walferry

BENCHMARK_MAIN();
