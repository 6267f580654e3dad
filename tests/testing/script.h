#ifndef TESTS_TESTING_SCRIPT_H_
#define TESTS_TESTING_SCRIPT_H_

// What a ScriptedServer does on one connection.

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "tests/testing/backend_message.h"

namespace walferry {

// A message of the client. `body` is what follows the length; of a Query ('Q')
// it is the statement without its NUL.
struct ClientMessage {
  char type = '\0';
  std::string body;
};

// The steps follow the startup, in the order in which they were added. Bodies
// are given whole or as a GoogleTest matcher for a string:
//
//   Script()
//       .ExpectQuery("IDENTIFY_SYSTEM")
//       .Send(BackendMessages().RowDescription(...)...)
//       .ExpectQuery(StartsWith("START_REPLICATION"))
//       .Send(BackendMessages().CopyBothResponse().Keepalive(...))
//       .SkipUntil('d', StartsWith("r"))
//       .Close();
//
// After the last step the client may end the connection when it likes; until
// then only Terminate and CopyData (a standby's status) may come from it.
class Script {
 public:
  using Body = testing::Matcher<std::string>;

  struct ExpectStep {
    char type;
    Body body;
    bool skip_others;
  };
  struct SendStep {
    std::string bytes;
  };
  struct WaitStep {
    const absl::Notification* notification;
  };
  struct CloseStep {};
  using Step = std::variant<ExpectStep, SendStep, WaitStep, CloseStep>;

  // ---- The startup ----

  // The server_version that is reported; 15.4 if not told otherwise.
  Script& ServerVersion(std::string version) {
    server_version_ = std::move(version);
    return *this;
  }
  // The whole answer to the StartupMessage, instead of a friendly one.
  Script& Greet(const BackendMessages& messages) {
    greeting_ = messages.bytes();
    return *this;
  }

  // ---- Steps ----

  // The next message is this query.
  Script& ExpectQuery(Body sql) { return Expect('Q', std::move(sql)); }
  // The next message is of this type, and has this body.
  Script& Expect(char type, Body body = testing::_) {
    steps_.push_back(ExpectStep{type, std::move(body), false});
    return *this;
  }
  // Some message to come is.
  Script& SkipUntil(char type, Body body = testing::_) {
    steps_.push_back(ExpectStep{type, std::move(body), true});
    return *this;
  }
  Script& Send(const BackendMessages& messages) {
    steps_.push_back(SendStep{messages.bytes()});
    return *this;
  }
  // Does nothing until the test says so.
  Script& WaitFor(const absl::Notification& notification) {
    steps_.push_back(WaitStep{&notification});
    return *this;
  }
  // Closes the connection without a word.
  Script& Close() {
    steps_.push_back(CloseStep{});
    return *this;
  }

  // ---- For the server ----

  std::string greeting() const;
  const std::vector<Step>& steps() const { return steps_; }

 private:
  std::string server_version_ = "15.4";
  std::string greeting_;
  std::vector<Step> steps_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_SCRIPT_H_
