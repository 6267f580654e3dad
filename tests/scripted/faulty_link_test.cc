#include "tests/testing/faulty_link.h"

#include <sys/socket.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/socket.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

constexpr LinkDirection kToServer = LinkDirection::kToServer;
constexpr LinkDirection kToClient = LinkDirection::kToClient;

// The sockets' buffers of all three, as the kernel sizes them by default.
constexpr size_t kMoreThanBuffersHold = 50 << 20;

// A client, the link and the server behind it, connected.
class FaultyLinkTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(listener_, ListenOnPort(0));
    ASSERT_OK_AND_ASSIGN(const int port, PortOf(listener_));
    ASSERT_OK_AND_ASSIGN(link_, FaultyLink::Start(port));
    ASSERT_NO_FATAL_FAILURE(Connect());
  }

  void Connect() {
    ASSERT_OK_AND_ASSIGN(client_, ConnectToPort(link_->port()));
    server_ = Socket(accept(listener_.fd(), nullptr, nullptr));
    ASSERT_TRUE(server_.valid());
    for (const Socket* socket : {&client_, &server_}) {
      const timeval patience = absl::ToTimeval(kTestPatience);
      setsockopt(socket->fd(), SOL_SOCKET, SO_RCVTIMEO, &patience,
                 sizeof(patience));
    }
  }

  static void Send(const Socket& socket, const std::string& bytes) {
    ASSERT_EQ(send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  // `size` bytes, or fewer if the connection ends before.
  static std::string Receive(const Socket& socket, size_t size) {
    std::string bytes(size, '\0');
    const ssize_t count =
        recv(socket.fd(), bytes.data(), bytes.size(), MSG_WAITALL);
    bytes.resize(count < 0 ? 0 : static_cast<size_t>(count));
    return bytes;
  }

  static bool HasEnded(const Socket& socket) {
    char byte;
    return recv(socket.fd(), &byte, 1, 0) == 0;
  }

  static bool HasBytes(const Socket& socket) {
    char byte;
    return recv(socket.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
  }

  Socket listener_;
  std::unique_ptr<FaultyLink> link_;
  Socket client_;
  Socket server_;
};

TEST_F(FaultyLinkTest, ForwardsBothWaysAndCounts) {
  Send(client_, "question");
  EXPECT_EQ(Receive(server_, 8), "question");
  Send(server_, "yes");
  EXPECT_EQ(Receive(client_, 3), "yes");
  EXPECT_EQ(link_->forwarded(kToServer), 8u);
  EXPECT_EQ(link_->forwarded(kToClient), 3u);
  EXPECT_EQ(link_->open_connections(), 1);
  EXPECT_EQ(link_->accepted_connections(), 1);
}

TEST_F(FaultyLinkTest, ForwardsTheEndOfEachSide) {
  Send(client_, "last");
  shutdown(client_.fd(), SHUT_WR);
  EXPECT_EQ(Receive(server_, 100), "last");
  Send(server_, "answer");
  EXPECT_EQ(Receive(client_, 6), "answer");
  server_ = Socket();
  EXPECT_TRUE(HasEnded(client_));
  EXPECT_TRUE(WaitUntil([this] { return link_->open_connections() == 0; }));
}

TEST_F(FaultyLinkTest, ForwardsMoreThanTheBuffersHold) {
  const std::string much(kMoreThanBuffersHold, 'x');
  std::thread sender([&] { Send(server_, much); });
  EXPECT_EQ(Receive(client_, much.size()), much);
  sender.join();
}

TEST_F(FaultyLinkTest, MakesASenderWaitForItsReceiver) {
  const std::string some(64 << 10, 'x');
  size_t sent = 0;
  int looks_in_vain = 0;
  const bool stuck = WaitUntil([&] {
    const ssize_t count =
        send(client_.fd(), some.data(), some.size(), MSG_DONTWAIT);
    if (count > 0) sent += static_cast<size_t>(count);
    looks_in_vain = count > 0 ? 0 : looks_in_vain + 1;
    return looks_in_vain > 100 || sent > kMoreThanBuffersHold;
  });
  EXPECT_TRUE(stuck);
  EXPECT_LT(sent, kMoreThanBuffersHold);
}

TEST_F(FaultyLinkTest, DelaysOneDirectionOnlyAndKeepsTheBandwidth) {
  constexpr absl::Duration kDelay = absl::Milliseconds(200);
  link_->SetDelay(kToClient, kDelay);
  const std::string much(20 << 20, 'x');
  const absl::Time start = absl::Now();
  Send(client_, "now");
  EXPECT_EQ(Receive(server_, 3), "now");
  std::thread sender([&] { Send(server_, much); });
  EXPECT_EQ(Receive(client_, 1), "x");
  EXPECT_GE(absl::Now() - start, kDelay);
  EXPECT_EQ(Receive(client_, much.size() - 1), much.substr(1));
  sender.join();
  // One delay for each of the link's reads would be a minute.
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
}

TEST_F(FaultyLinkTest, HoldsEverythingBackWhileFrozen) {
  link_->Freeze();
  Send(client_, "late");
  Send(server_, "later");
  Socket second;
  ASSERT_OK_AND_ASSIGN(second, ConnectToPort(link_->port()));
  ASSERT_TRUE(WaitUntil([this] { return link_->accepted_connections() == 2; }));
  EXPECT_EQ(link_->forwarded(kToServer) + link_->forwarded(kToClient), 0u);
  EXPECT_FALSE(HasBytes(server_));
  EXPECT_FALSE(HasBytes(client_));
  EXPECT_EQ(link_->open_connections(), 2);
  link_->Thaw();
  EXPECT_EQ(Receive(server_, 4), "late");
  EXPECT_EQ(Receive(client_, 5), "later");
}

TEST_F(FaultyLinkTest, FreezesOneDirection) {
  link_->Freeze(kToServer);
  Send(client_, "held");
  Send(server_, "passes");
  EXPECT_EQ(Receive(client_, 6), "passes");
  EXPECT_FALSE(HasBytes(server_));
}

TEST_F(FaultyLinkTest, CutsAtOnceAndServesTheNextConnection) {
  link_->CutNow();
  EXPECT_TRUE(HasEnded(client_));
  EXPECT_TRUE(HasEnded(server_));
  EXPECT_EQ(link_->open_connections(), 0);
  ASSERT_NO_FATAL_FAILURE(Connect());
  Send(client_, "again");
  EXPECT_EQ(Receive(server_, 5), "again");
}

TEST_F(FaultyLinkTest, CutsAlsoWhileFrozen) {
  link_->Freeze();
  link_->CutNow();
  EXPECT_TRUE(HasEnded(client_));
  EXPECT_TRUE(HasEnded(server_));
}

TEST_F(FaultyLinkTest, CutsAfterExactlySoManyBytes) {
  Send(server_, "12");
  EXPECT_EQ(Receive(client_, 2), "12");
  link_->CutAfter(kToClient, 5);
  Send(client_, "the other direction does not count");
  EXPECT_EQ(Receive(server_, 34).size(), 34u);
  Send(server_, "345");
  EXPECT_EQ(Receive(client_, 3), "345");
  Send(server_, "6789");
  EXPECT_EQ(Receive(client_, 100), "67");
  EXPECT_TRUE(HasEnded(server_));

  ASSERT_NO_FATAL_FAILURE(Connect());
  Send(server_, "once only");
  EXPECT_EQ(Receive(client_, 9), "once only");
}

TEST_F(FaultyLinkTest, RefusesConnections) {
  link_->RefuseConnections(true);
  ASSERT_OK_AND_ASSIGN(const Socket refused, ConnectToPort(link_->port()));
  EXPECT_TRUE(HasEnded(refused));
  Send(client_, "still there");
  EXPECT_EQ(Receive(server_, 11), "still there");
  link_->RefuseConnections(false);
  ASSERT_NO_FATAL_FAILURE(Connect());
}

TEST_F(FaultyLinkTest, ClosesAConnectionThatTheServerDoesNotAccept) {
  listener_ = Socket();
  ASSERT_OK_AND_ASSIGN(const Socket refused, ConnectToPort(link_->port()));
  EXPECT_TRUE(HasEnded(refused));
}

TEST_F(FaultyLinkTest, SwallowsBytesInTheMiddle) {
  link_->Swallow(kToServer, 4);
  Send(client_, "one ");
  Send(client_, "two");
  EXPECT_EQ(Receive(server_, 3), "two");
}

TEST_F(FaultyLinkTest, InjectsBytesBehindWhatWasSent) {
  Send(server_, "true");
  EXPECT_EQ(Receive(client_, 4), "true");
  link_->Inject(kToClient, "garbage");
  EXPECT_EQ(Receive(client_, 7), "garbage");
  Send(server_, "true");
  EXPECT_EQ(Receive(client_, 4), "true");
}

}  // namespace
}  // namespace walferry
