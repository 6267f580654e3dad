#ifndef BENCH_CATCHUP_RESULT_JSON_H_
#define BENCH_CATCHUP_RESULT_JSON_H_

// The figures for a program, such as `plot`: seconds as numbers, and what they
// were measured with.

#include <string>
#include <vector>

#include "bench/catchup/arguments.h"
#include "bench/catchup/result.h"

namespace walferry {

// One object; `results` are not empty.
std::string ResultsJson(const Arguments& arguments,
                        const std::vector<Result>& results);

}  // namespace walferry

#endif  // BENCH_CATCHUP_RESULT_JSON_H_
