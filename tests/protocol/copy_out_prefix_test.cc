#include "protocol/copy_out_prefix.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/testing/backend_message.h"

namespace walferry {
namespace {

TEST(CopyOutPrefix, EndsBehindCopyDone) {
  const std::string rows = BackendMessages()
                               .CopyOutResponse(1)
                               .CopyData("1\n")
                               .Message('N', absl::string_view("\0", 1))
                               .CopyDone()
                               .bytes();
  const std::string more =
      BackendMessages().CommandComplete("COPY 1").CopyData("2\n").bytes();
  EXPECT_EQ(CopyOutPrefix(rows + more), rows.size());
  for (size_t size = 0; size <= rows.size(); ++size) {
    EXPECT_EQ(CopyOutPrefix(rows.substr(0, size)), size);
  }
}

TEST(CopyOutPrefix, EndsBeforeAnErrorAndBeforeWhatIsUnknown) {
  const std::string row = BackendMessages().CopyData("1\n").bytes();
  EXPECT_EQ(CopyOutPrefix(row + "E"), row.size());
  EXPECT_EQ(CopyOutPrefix(row + "y"), row.size());
  EXPECT_EQ(CopyOutPrefix("E"), 0u);
}

// Who reads the messages will tell of it.
TEST(CopyOutPrefix, HasWhatIsMalformed) {
  const std::string bytes("d\0\0\0\3....", 9);
  EXPECT_EQ(CopyOutPrefix(bytes), bytes.size());
}

}  // namespace
}  // namespace walferry
