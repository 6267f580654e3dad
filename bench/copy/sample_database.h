#ifndef BENCH_COPY_SAMPLE_DATABASE_H_
#define BENCH_COPY_SAMPLE_DATABASE_H_

// The database that is copied: one narrow table of 5M rows, four tables of 200k
// rows of 1 kB, 13 indexes; some 2 GB.

#include <cstdint>
#include <string>
#include <vector>

namespace walferry {

struct SampleIndex {
  std::string name;
  std::string column;
  bool primary = false;
};

struct SampleTable {
  std::string name;
  std::string create;  // A statement, without keys and indexes.
  std::string fill;    // A statement; the same rows every time.
  std::vector<SampleIndex> indexes;
};

// The largest first. `scale` is of rows.
std::vector<SampleTable> SampleDatabase(double scale);

// A statement; a primary key's makes a unique index only, ...
std::string CreateIndexSql(const SampleTable& table, const SampleIndex& index);
// ... of which this makes the keys, at once; a statement for each table.
std::string MakeKeysSql(const std::vector<SampleTable>& tables);

}  // namespace walferry

#endif  // BENCH_COPY_SAMPLE_DATABASE_H_
