#include "tests/testing/scripted_server.h"

#include <sys/socket.h>

#include <cerrno>
#include <deque>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "protocol/status.h"
#include "tests/testing/client_link.h"
#include "tests/testing/socket.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

constexpr int kUnixPort = 5432;

std::string Quoted(const ClientMessage& message) {
  return absl::StrCat("'", std::string(1, message.type), "' \"",
                      absl::CHexEscape(message.body), "\"");
}

std::string Described(const Script::ExpectStep& step) {
  std::ostringstream text;
  text << "'" << step.type << "' that ";
  step.body.DescribeTo(&text);
  return text.str();
}

// One script and what became of it.
struct Scene {
  Script script;
  std::map<std::string, std::string> startup;
  std::vector<ClientMessage> received;
  bool over = false;
};

}  // namespace

class ScriptedServer::Stage {
 public:
  Stage(std::vector<Script> scripts, Socket listener, std::string address,
        std::optional<TempDir> directory)
      : address_(std::move(address)),
        directory_(std::move(directory)),
        listener_(std::move(listener)) {
    for (Script& script : scripts) {
      scenes_.push_back({.script = std::move(script)});
    }
    accepter_ = std::thread([this] { Accept(); });
  }

  ~Stage() {
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
      for (ClientLink* link : links_) link->ShutDown();
    }
    listener_.ShutDown();
    accepter_.join();
    for (std::thread& thread : threads_) thread.join();
  }

  const std::string& address() const { return address_; }

  absl::Status Finish() {
    absl::MutexLock lock(&mutex_);
    const auto settled = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      if (!failure_.ok()) return true;
      for (const Scene& scene : scenes_) {
        if (!scene.over) return false;
      }
      return true;
    };
    if (mutex_.AwaitWithTimeout(absl::Condition(&settled), kTestPatience)) {
      return failure_;
    }
    for (size_t index = 0; index < scenes_.size(); ++index) {
      if (!scenes_[index].over) return Unfinished(index);
    }
    return absl::OkStatus();
  }

  Scene SceneOf(size_t connection) const {
    absl::MutexLock lock(&mutex_);
    return connection < scenes_.size() ? scenes_[connection] : Scene{};
  }

  int cancel_requests() const {
    absl::MutexLock lock(&mutex_);
    return cancel_requests_;
  }

 private:
  absl::Status Unfinished(size_t index) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return absl::DeadlineExceededError(
        absl::StrCat("connection ", index + 1,
                     index < begun_ ? ": has not ended" : ": nobody has come"));
  }

  // Runs in a thread of its own until the listener is shut down.
  void Accept() {
    for (;;) {
      Socket socket(accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket.valid() && errno == EINTR) continue;
      if (!socket.valid()) return;
      threads_.emplace_back([this, shared = std::make_shared<ClientLink>(
                                       std::move(socket))] { Serve(*shared); });
    }
  }

  // Runs in a thread of its own.
  void Serve(ClientLink& link) {
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      links_.push_back(&link);
    }
    const absl::StatusOr<std::optional<size_t>> scene = Enter(link);
    absl::Status status = scene.status();
    if (scene.ok() && scene->has_value()) status = PlayScene(link, **scene);
    {
      absl::MutexLock lock(&mutex_);
      std::erase(links_, &link);
      if (failure_.ok() && !stopping_) failure_ = status;
      if (scene.ok() && scene->has_value()) scenes_[**scene].over = true;
    }
    // Last, so that a client that sees the end can ask what it was.
    link.ShutDown();
  }

  // The scene to play; nullopt for a cancel request.
  absl::StatusOr<std::optional<size_t>> Enter(ClientLink& link) {
    ASSIGN_OR_RETURN(ClientStartup startup, link.ReadStartup());
    absl::MutexLock lock(&mutex_);
    if (startup.is_cancel_request) {
      ++cancel_requests_;
      return std::nullopt;
    }
    const size_t index = begun_++;
    if (index >= scenes_.size()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "connection ", index + 1, ": there is no script for it"));
    }
    scenes_[index].startup = std::move(startup.parameters);
    return index;
  }

  absl::Status PlayScene(ClientLink& link, size_t index) {
    const Script script = SceneOf(index).script;
    RETURN_IF_ERROR(link.Send(script.greeting()));
    for (size_t step = 0; step < script.steps().size(); ++step) {
      RETURN_IF_ERROR(Annotate(
          PlayStep(link, index, script.steps()[step]),
          absl::StrCat("connection ", index + 1, ", step ", step + 1)));
    }
    return Annotate(WaitForEnd(link, index),
                    absl::StrCat("connection ", index + 1));
  }

  absl::Status PlayStep(ClientLink& link, size_t index,
                        const Script::Step& step) {
    if (const auto* expect = std::get_if<Script::ExpectStep>(&step)) {
      return Expect(link, index, *expect);
    }
    if (const auto* send = std::get_if<Script::SendStep>(&step)) {
      return link.Send(send->bytes);
    }
    if (const auto* wait = std::get_if<Script::WaitStep>(&step)) {
      return WaitFor(*wait->notification);
    }
    link.ShutDown();
    return absl::OkStatus();
  }

  // Reads and keeps a message.
  absl::StatusOr<std::optional<ClientMessage>> Read(ClientLink& link,
                                                    size_t index) {
    ASSIGN_OR_RETURN(auto message, link.Read());
    if (message.has_value()) {
      absl::MutexLock lock(&mutex_);
      scenes_[index].received.push_back(*message);
    }
    return message;
  }

  absl::Status Expect(ClientLink& link, size_t index,
                      const Script::ExpectStep& step) {
    for (;;) {
      absl::StatusOr<std::optional<ClientMessage>> message = Read(link, index);
      if (!message.ok()) {
        return Annotate(message.status(),
                        absl::StrCat("expected ", Described(step)));
      }
      if (!message->has_value()) {
        return absl::FailedPreconditionError(absl::StrCat(
            "expected ", Described(step), ", but the client has left"));
      }
      if ((*message)->type == step.type &&
          step.body.Matches((*message)->body)) {
        return absl::OkStatus();
      }
      if (step.skip_others) continue;
      return absl::FailedPreconditionError(absl::StrCat(
          "expected ", Described(step), ", got ", Quoted(**message)));
    }
  }

  absl::Status WaitFor(const absl::Notification& notification) {
    const auto done = [this, &notification] {
      absl::MutexLock lock(&mutex_);
      return stopping_ || notification.HasBeenNotified();
    };
    if (WaitUntil(done)) return absl::OkStatus();
    return absl::DeadlineExceededError("the test gives no sign to go on");
  }

  // After the last step; also ends when that has closed the connection.
  absl::Status WaitForEnd(ClientLink& link, size_t index) {
    for (;;) {
      ASSIGN_OR_RETURN(const auto message, Read(link, index));
      if (!message.has_value()) return absl::OkStatus();
      if (message->type == 'X' || message->type == 'd') continue;
      return absl::FailedPreconditionError(
          absl::StrCat("got ", Quoted(*message), " after the last step"));
    }
  }

  const std::string address_;
  const std::optional<TempDir> directory_;
  const Socket listener_;
  std::thread accepter_;
  std::deque<std::thread> threads_;  // Only for accepter_, until it is joined.

  mutable absl::Mutex mutex_;
  std::vector<Scene> scenes_ ABSL_GUARDED_BY(mutex_);
  size_t begun_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<ClientLink*> links_ ABSL_GUARDED_BY(mutex_);
  int cancel_requests_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

absl::StatusOr<std::unique_ptr<ScriptedServer>> ScriptedServer::Start(
    std::vector<Script> scripts, Transport transport) {
  Socket listener;
  std::optional<TempDir> directory;
  std::string address;
  if (transport == Transport::kTcp) {
    ASSIGN_OR_RETURN(listener, ListenOnPort(0));
    ASSIGN_OR_RETURN(const int port, PortOf(listener));
    address = absl::StrCat("host=127.0.0.1 port=", port);
  } else {
    ASSIGN_OR_RETURN(TempDir created, TempDir::Create());
    directory.emplace(std::move(created));
    ASSIGN_OR_RETURN(
        listener,
        ListenOnPath(absl::StrCat(directory->path(), "/.s.PGSQL.", kUnixPort)));
    address = absl::StrCat("host=", directory->path(), " port=", kUnixPort);
  }
  return std::unique_ptr<ScriptedServer>(new ScriptedServer(
      std::make_unique<Stage>(std::move(scripts), std::move(listener),
                              std::move(address), std::move(directory))));
}

ScriptedServer::ScriptedServer(std::unique_ptr<Stage> stage)
    : stage_(std::move(stage)) {}

ScriptedServer::~ScriptedServer() = default;

std::string ScriptedServer::ConnInfo(absl::string_view dbname) const {
  return absl::StrCat(stage_->address(), " user=postgres dbname=", dbname);
}

absl::Status ScriptedServer::Finish() { return stage_->Finish(); }

std::vector<ClientMessage> ScriptedServer::received(size_t connection) const {
  return stage_->SceneOf(connection).received;
}

std::vector<std::string> ScriptedServer::received_copy_data(
    size_t connection) const {
  std::vector<std::string> bodies;
  for (ClientMessage& message : received(connection)) {
    if (message.type == 'd') bodies.push_back(std::move(message.body));
  }
  return bodies;
}

std::map<std::string, std::string> ScriptedServer::startup(
    size_t connection) const {
  return stage_->SceneOf(connection).startup;
}

int ScriptedServer::cancel_requests() const {
  return stage_->cancel_requests();
}

}  // namespace walferry
