#ifndef TESTS_TESTING_FAULTY_LINK_H_
#define TESTS_TESTING_FAULTY_LINK_H_

// A bad network: a TCP proxy on 127.0.0.1 between a client and a real server.
//
//   ASSERT_OK_AND_ASSIGN(auto link, FaultyLink::Start(server->port()));
//   Connect(server->ConnInfoVia(link->port(), "app"));
//   link->CutAfter(LinkDirection::kToClient, 1000);

#include <cstdint>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace walferry {

enum class LinkDirection { kToServer, kToClient };

// Forwards any number of connections. A control concerns all of them, those to
// come too unless it says otherwise. Bytes are counted per direction, over all
// connections, from the moment of the call.
//
// Thread-safe: a thread of its own forwards.
class FaultyLink {
 public:
  // `server_port` is one of 127.0.0.1; nobody need listen there yet.
  static absl::StatusOr<std::unique_ptr<FaultyLink>> Start(int server_port);

  // Cuts all connections.
  ~FaultyLink();

  int port() const;

  // Every byte arrives later by `delay`; the bandwidth stays.
  void SetDelay(LinkDirection direction, absl::Duration delay);

  // Stops forwarding, but keeps connections open and accepts new ones, like a
  // cable that has been pulled: also the end of a connection is not seen. What
  // is sent meanwhile waits in the sockets' buffers.
  void Freeze(LinkDirection direction);
  void Freeze();
  // Forwards again, in both directions.
  void Thaw();

  // Closes both sides of all connections that are open now. Bytes under way
  // are lost.
  void CutNow();

  // Forwards `bytes` more bytes, in the middle of whatever that is, and then
  // does what CutNow does, once.
  void CutAfter(LinkDirection direction, uint64_t bytes);

  // While refused, new connections are closed as soon as they are accepted.
  void RefuseConnections(bool refuse);

  // Loses the next `bytes` bytes that a sender sends, and forwards what
  // follows.
  void Swallow(LinkDirection direction, uint64_t bytes);

  // Sends `bytes` of ours between the bytes of every connection that is open
  // now: behind what its sender has sent until now.
  void Inject(LinkDirection direction, absl::string_view bytes);

  // Bytes that were handed to the receivers so far.
  uint64_t forwarded(LinkDirection direction) const;
  int open_connections() const;
  // Since the start, the refused ones included.
  int accepted_connections() const;

 private:
  struct State;
  explicit FaultyLink(std::unique_ptr<State> state);
  void SetFrozen(LinkDirection direction, bool frozen);

  std::unique_ptr<State> state_;
  std::thread thread_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_FAULTY_LINK_H_
