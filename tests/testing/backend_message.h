#ifndef TESTS_TESTING_BACKEND_MESSAGE_H_
#define TESTS_TESTING_BACKEND_MESSAGE_H_

// The messages that a PostgreSQL server sends ("Message Formats" in the
// PostgreSQL manual), one behind the other:
//
//   BackendMessages().RowDescription({"n"}).DataRow({"7"})
//       .CommandComplete("SELECT 1").ReadyForQuery()

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace walferry {

class BackendMessages {
 public:
  // ---- Startup ----
  BackendMessages& AuthenticationOk();
  BackendMessages& AuthenticationCleartextPassword();
  BackendMessages& ParameterStatus(absl::string_view name,
                                   absl::string_view value);
  BackendMessages& BackendKeyData(uint32_t pid, uint32_t key);

  // ---- Queries ----
  // `status`: I idle, T in a transaction, E in a failed one.
  BackendMessages& ReadyForQuery(char status = 'I');
  // All columns are of type text.
  BackendMessages& RowDescription(const std::vector<std::string>& columns);
  BackendMessages& DataRow(
      const std::vector<std::optional<std::string>>& values);
  BackendMessages& CommandComplete(absl::string_view tag);
  BackendMessages& ErrorResponse(absl::string_view sqlstate,
                                 absl::string_view message,
                                 absl::string_view severity = "ERROR");
  BackendMessages& NoticeResponse(absl::string_view message);
  BackendMessages& ParseComplete();
  BackendMessages& BindComplete();
  BackendMessages& NoData();

  // ---- COPY and streaming ----
  // All columns in text format.
  BackendMessages& CopyInResponse(int columns);
  BackendMessages& CopyOutResponse(int columns);
  BackendMessages& CopyBothResponse();
  BackendMessages& CopyData(absl::string_view bytes);
  BackendMessages& CopyDone();
  // CopyData with a frame of a walsender. Times are microseconds since 2000.
  BackendMessages& XLogData(uint64_t data_start, uint64_t wal_end,
                            int64_t send_time, absl::string_view payload);
  BackendMessages& Keepalive(uint64_t wal_end, int64_t send_time,
                             bool reply_requested);

  // ---- Anything else, also what no server would send ----
  BackendMessages& Message(char type, absl::string_view body);
  BackendMessages& Raw(absl::string_view bytes);

  const std::string& bytes() const { return bytes_; }

 private:
  BackendMessages& CopyResponse(char type, int columns);

  std::string bytes_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_BACKEND_MESSAGE_H_
