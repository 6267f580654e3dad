#ifndef BENCH_COPY_RESULT_TABLE_H_
#define BENCH_COPY_RESULT_TABLE_H_

// The figures for a person: a line for each run on the standard output.

#include "bench/copy/result.h"

namespace walferry {

void PrintCopyHeader(const CopySetting& setting);
// A line for each that was measured.
void PrintCopyLines(const CopyResult& result);

}  // namespace walferry

#endif  // BENCH_COPY_RESULT_TABLE_H_
