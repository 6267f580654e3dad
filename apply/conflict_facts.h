#ifndef APPLY_CONFLICT_FACTS_H_
#define APPLY_CONFLICT_FACTS_H_

// What an operator must know of a change that the target would not take.

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "apply/applier.h"
#include "apply/change_batch.h"

namespace walferry {

// "id=7, tenant=3". Key columns of the row that the change is about; the first
// columns where the key is the whole row or there is none. Long values are
// cut, binary ones of unknown form are hexadecimal.
std::string DescribeKey(const Change& change);

// "update of public.t (id=7), transaction 735, committed
// 2026-11-21T04:51:00.123456Z, ending at 0/15EFC00". What is not known yet is
// left out.
std::string DescribeChange(const ChangeBatch& batch, size_t change_index);

// `type` empty: by the error ("insert_exists" and so on).
Conflict ConflictOf(const ChangeBatch& batch, size_t change_index,
                    const absl::Status& error, absl::string_view type);

}  // namespace walferry

#endif  // APPLY_CONFLICT_FACTS_H_
