#ifndef BENCH_COPY_RESULT_JSON_H_
#define BENCH_COPY_RESULT_JSON_H_

// The figures for a program: seconds as numbers, and what they were measured
// with.

#include <string>
#include <vector>

#include "bench/copy/arguments.h"
#include "bench/copy/result.h"

namespace walferry {

// One object.
std::string CopyResultsJson(const CopyArguments& arguments,
                            const CopySetting& setting,
                            const std::vector<CopyResult>& results);

}  // namespace walferry

#endif  // BENCH_COPY_RESULT_JSON_H_
