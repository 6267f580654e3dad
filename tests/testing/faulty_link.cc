#include "tests/testing/faulty_link.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <list>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "protocol/status.h"
#include "tests/testing/socket.h"

namespace walferry {
namespace {

constexpr size_t kReadSize = 64 << 10;
// What may be under way in a lane at most: a delay of 100 ms at 1 GB/s.
constexpr size_t kLaneCapacity = 100 << 20;

// What the controls ask of a direction.
struct Faults {
  absl::Duration delay = absl::ZeroDuration();
  bool frozen = false;
  bool cut_is_due = false;
  uint64_t bytes_until_cut = 0;
  uint64_t bytes_to_swallow = 0;
  uint64_t forwarded = 0;
};

struct Chunk {
  absl::Time due;
  std::string bytes;  // Empty: the sender has closed its side.
};

// One direction of one connection.
struct Lane {
  LinkDirection direction;
  int from;
  int to;
  std::deque<Chunk> chunks;
  size_t queued = 0;
  bool receiver_is_full = false;
  bool sender_has_ended = false;
  bool end_is_delivered = false;

  // A receiver that does not read must make its sender wait, as without us.
  bool WantsToReceive() const {
    return !sender_has_ended && !receiver_is_full && queued < kLaneCapacity;
  }
};

struct Connection {
  Connection(Socket client_side, Socket server_side)
      : client(std::move(client_side)),
        server(std::move(server_side)),
        lanes{Lane{.direction = LinkDirection::kToServer,
                   .from = client.fd(),
                   .to = server.fd()},
              Lane{.direction = LinkDirection::kToClient,
                   .from = server.fd(),
                   .to = client.fd()}} {}

  Socket client;
  Socket server;
  Lane lanes[2];
  bool cut = false;
};

void MakeImmediate(const Socket& socket) {
  fcntl(socket.fd(), F_SETFL, O_NONBLOCK);
  const int on = 1;
  setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

bool WouldBlock() { return errno == EAGAIN || errno == EINTR; }

}  // namespace

// What the controls and the forwarding thread share.
struct FaultyLink::State {
  void Run();

  Faults& FaultsOf(LinkDirection direction)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return faults[direction == LinkDirection::kToServer ? 0 : 1];
  }
  void CutAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // Makes the thread look at everything again.
  void Wake() const { eventfd_write(wake_up.fd(), 1); }

  Socket listener;
  Socket wake_up;
  int port = 0;
  int server_port = 0;

  absl::Mutex mutex;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  bool refusing ABSL_GUARDED_BY(mutex) = false;
  int accepted ABSL_GUARDED_BY(mutex) = 0;
  Faults faults[2] ABSL_GUARDED_BY(mutex);
  std::list<Connection> connections ABSL_GUARDED_BY(mutex);

 private:
  // Waits until a socket, a due time or a control asks for work.
  void WaitForWork() ABSL_LOCKS_EXCLUDED(mutex);
  void Accept() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // These return false when the connection is beyond use.
  bool Pump(Connection& connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  bool Receive(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  bool Deliver(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  bool DeliverChunk(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
};

void FaultyLink::State::Run() {
  for (;;) {
    WaitForWork();
    absl::MutexLock lock(&mutex);
    if (stopping) return CutAll();
    Accept();
    // Which socket woke us does not matter: looking at one costs little.
    for (auto connection = connections.begin();
         connection != connections.end();) {
      connection = Pump(*connection) ? std::next(connection)
                                     : connections.erase(connection);
    }
  }
}

void FaultyLink::State::WaitForWork() {
  std::vector<pollfd> sockets = {
      {.fd = wake_up.fd(), .events = POLLIN, .revents = 0},
      {.fd = listener.fd(), .events = POLLIN, .revents = 0}};
  absl::Time due = absl::InfiniteFuture();
  {
    absl::MutexLock lock(&mutex);
    for (const Connection& connection : connections) {
      for (const Lane& lane : connection.lanes) {
        if (FaultsOf(lane.direction).frozen) continue;
        if (lane.WantsToReceive()) {
          sockets.push_back({.fd = lane.from, .events = POLLIN, .revents = 0});
        }
        if (lane.receiver_is_full) {
          sockets.push_back({.fd = lane.to, .events = POLLOUT, .revents = 0});
        } else if (!lane.chunks.empty()) {
          due = std::min(due, lane.chunks.front().due);
        }
      }
    }
  }
  const timespec timeout =
      absl::ToTimespec(std::max(due - absl::Now(), absl::ZeroDuration()));
  ppoll(sockets.data(), sockets.size(),
        due == absl::InfiniteFuture() ? nullptr : &timeout, nullptr);
  eventfd_t wakes;
  eventfd_read(wake_up.fd(), &wakes);
}

void FaultyLink::State::Accept() {
  for (;;) {
    Socket client(accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client.valid()) return;
    ++accepted;
    if (refusing) continue;
    absl::StatusOr<Socket> server = ConnectToPort(server_port);
    if (!server.ok()) continue;  // The client sees its connection closed.
    MakeImmediate(client);
    MakeImmediate(*server);
    connections.emplace_back(std::move(client), *std::move(server));
  }
}

bool FaultyLink::State::Pump(Connection& connection) {
  for (Lane& lane : connection.lanes) {
    if (FaultsOf(lane.direction).frozen) continue;
    if (!Receive(lane) || !Deliver(lane)) return false;
  }
  return !connection.cut && !(connection.lanes[0].end_is_delivered &&
                              connection.lanes[1].end_is_delivered);
}

bool FaultyLink::State::Receive(Lane& lane) {
  if (!lane.WantsToReceive()) return true;
  std::string buffer(kReadSize, '\0');
  const ssize_t received = recv(lane.from, buffer.data(), buffer.size(), 0);
  if (received < 0) return WouldBlock();
  Faults& wanted = FaultsOf(lane.direction);
  const absl::Time due = absl::Now() + wanted.delay;
  if (received == 0) {
    lane.sender_has_ended = true;
    lane.chunks.push_back({due, ""});
    return true;
  }
  buffer.resize(static_cast<size_t>(received));
  const size_t swallowed = std::min(buffer.size(), wanted.bytes_to_swallow);
  wanted.bytes_to_swallow -= swallowed;
  buffer.erase(0, swallowed);
  if (buffer.empty()) return true;
  lane.queued += buffer.size();
  lane.chunks.push_back({due, std::move(buffer)});
  return true;
}

bool FaultyLink::State::Deliver(Lane& lane) {
  lane.receiver_is_full = false;
  while (!lane.chunks.empty() && lane.chunks.front().due <= absl::Now() &&
         !lane.receiver_is_full) {
    if (!DeliverChunk(lane)) return false;
  }
  return true;
}

bool FaultyLink::State::DeliverChunk(Lane& lane) {
  Chunk& chunk = lane.chunks.front();
  if (chunk.bytes.empty()) {
    shutdown(lane.to, SHUT_WR);
    lane.end_is_delivered = true;
    lane.chunks.pop_front();
    return true;
  }
  Faults& wanted = FaultsOf(lane.direction);
  size_t size = chunk.bytes.size();
  if (wanted.cut_is_due) size = std::min(size, wanted.bytes_until_cut);
  const ssize_t sent = send(lane.to, chunk.bytes.data(), size, MSG_NOSIGNAL);
  if (sent < 0) {
    lane.receiver_is_full = WouldBlock();
    return lane.receiver_is_full;
  }
  const size_t delivered = static_cast<size_t>(sent);
  wanted.forwarded += delivered;
  lane.queued -= delivered;
  chunk.bytes.erase(0, delivered);
  if (chunk.bytes.empty()) lane.chunks.pop_front();
  if (!wanted.cut_is_due) return true;
  wanted.bytes_until_cut -= delivered;
  if (wanted.bytes_until_cut > 0) return true;
  wanted.cut_is_due = false;
  CutAll();
  return false;
}

void FaultyLink::State::CutAll() {
  for (Connection& connection : connections) {
    connection.client.ShutDown();
    connection.server.ShutDown();
    connection.cut = true;
  }
  Wake();
}

absl::StatusOr<std::unique_ptr<FaultyLink>> FaultyLink::Start(int server_port) {
  auto state = std::make_unique<State>();
  ASSIGN_OR_RETURN(state->listener, ListenOnPort(0));
  ASSIGN_OR_RETURN(state->port, PortOf(state->listener));
  fcntl(state->listener.fd(), F_SETFL, O_NONBLOCK);
  state->wake_up = Socket(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!state->wake_up.valid()) return absl::ErrnoToStatus(errno, "eventfd");
  state->server_port = server_port;
  return std::unique_ptr<FaultyLink>(new FaultyLink(std::move(state)));
}

FaultyLink::FaultyLink(std::unique_ptr<State> state)
    : state_(std::move(state)), thread_([this] { state_->Run(); }) {}

FaultyLink::~FaultyLink() {
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stopping = true;
  }
  state_->Wake();
  thread_.join();
}

int FaultyLink::port() const { return state_->port; }

void FaultyLink::SetDelay(LinkDirection direction, absl::Duration delay) {
  absl::MutexLock lock(&state_->mutex);
  state_->FaultsOf(direction).delay = delay;
}

void FaultyLink::SetFrozen(LinkDirection direction, bool frozen) {
  absl::MutexLock lock(&state_->mutex);
  state_->FaultsOf(direction).frozen = frozen;
  state_->Wake();
}

void FaultyLink::Freeze(LinkDirection direction) { SetFrozen(direction, true); }

void FaultyLink::Freeze() {
  Freeze(LinkDirection::kToServer);
  Freeze(LinkDirection::kToClient);
}

void FaultyLink::Thaw() {
  SetFrozen(LinkDirection::kToServer, false);
  SetFrozen(LinkDirection::kToClient, false);
}

void FaultyLink::CutNow() {
  absl::MutexLock lock(&state_->mutex);
  state_->CutAll();
}

void FaultyLink::CutAfter(LinkDirection direction, uint64_t bytes) {
  absl::MutexLock lock(&state_->mutex);
  if (bytes == 0) return state_->CutAll();
  state_->FaultsOf(direction).cut_is_due = true;
  state_->FaultsOf(direction).bytes_until_cut = bytes;
}

void FaultyLink::RefuseConnections(bool refuse) {
  absl::MutexLock lock(&state_->mutex);
  state_->refusing = refuse;
}

void FaultyLink::Swallow(LinkDirection direction, uint64_t bytes) {
  absl::MutexLock lock(&state_->mutex);
  state_->FaultsOf(direction).bytes_to_swallow = bytes;
}

void FaultyLink::Inject(LinkDirection direction, absl::string_view bytes) {
  absl::MutexLock lock(&state_->mutex);
  for (Connection& connection : state_->connections) {
    for (Lane& lane : connection.lanes) {
      if (lane.direction != direction || lane.sender_has_ended) continue;
      lane.queued += bytes.size();
      lane.chunks.push_back({absl::Now(), std::string(bytes)});
    }
  }
  state_->Wake();
}

uint64_t FaultyLink::forwarded(LinkDirection direction) const {
  absl::MutexLock lock(&state_->mutex);
  return state_->FaultsOf(direction).forwarded;
}

int FaultyLink::open_connections() const {
  absl::MutexLock lock(&state_->mutex);
  return static_cast<int>(std::count_if(
      state_->connections.begin(), state_->connections.end(),
      [](const Connection& connection) { return !connection.cut; }));
}

int FaultyLink::accepted_connections() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->accepted;
}

}  // namespace walferry
