// How a program of yours uses walferry's engine: starts a migration, listens
// to its events, asks for the cutover, and can stop it.
//
//   embed_example SOURCE TARGET
//
// Built and run by the tests (tests/cluster/example_test.cc).

#include <csignal>
#include <iostream>
#include <variant>

#include "engine/migration/migration.h"
#include "protocol/status.h"

namespace {

// Lives as long as the process: a signal may come at any time.
walferry::Control control;

// Prints what happens, and cuts over as soon as the target has caught up.
class Listener : public walferry::EventSink {
 public:
  void OnEvent(const walferry::Event& event) override {
    if (const auto* started = std::get_if<walferry::PhaseStarted>(&event)) {
      std::cout << "phase " << PhaseName(started->phase) << std::endl;
    } else if (const auto* lag = std::get_if<walferry::Lag>(&event)) {
      std::cout << "lag " << lag->lag_bytes << " bytes" << std::endl;
    } else if (std::holds_alternative<walferry::CaughtUp>(event)) {
      // A real program stops its writers first. walferry waits for that.
      control.RequestCutover();
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: embed_example SOURCE TARGET\n";
    return 2;
  }
  // Stops cleanly; the same command later goes on where this one stopped.
  std::signal(SIGTERM, [](int) { control.RequestStop(); });

  walferry::MigrateOptions options;
  options.endpoints.source = argv[1];
  options.endpoints.target = argv[2];
  options.endpoints.name = "example";
  Listener listener;
  const auto report = walferry::RunMigration(options, control, listener);
  if (!report.ok()) {
    std::cerr << "error: " << report.status().message() << "\n"
              << "hint: " << walferry::HintOf(report.status()) << "\n";
    return 1;
  }
  std::cout << "copied " << report->rows_copied << " rows, applied "
            << report->transactions_applied << " transactions" << std::endl;
  return 0;
}
