#ifndef TOOLS_VERIFY_STEP_H_
#define TOOLS_VERIFY_STEP_H_

// --verify: what a migration has made is compared with the source before the
// run ends. Only offline: there the source stands still, so that what differs
// is a fault, or was written to a source that did not. With delayed tables it
// is done in two parts (engine/verify/verification.h, VerifyShare).

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/options.h"
#include "engine/report.h"
#include "engine/server/servers.h"
#include "engine/verify/verification.h"
#include "tools/engine_calls.h"
#include "tools/option_values.h"

namespace walferry {

class VerifyStep {
 public:
  // kInvalidArgument: --verify is asked for where nothing can be compared.
  // `input`: of an archive that was there, which nobody expects to be equal.
  static absl::StatusOr<VerifyStep> Bind(const OptionValues& values,
                                         const MigrateOptions& migrate,
                                         bool input);

  // For RunDelayingMigration, before clients come: all but the delayed tables.
  // What differs is an error, too. With --verify off nothing is known of them
  // from here on, but a difference that was found.
  absl::Status BeforeClients(const EngineCalls& engine, Control& control,
                             EventSink& events);

  // After a migration that ended well; tells of the comparison as notices, in
  // `report`, and in the ledger. An error: nobody knows whether they are equal,
  // or it was stopped. The same migration again compares again.
  absl::Status Run(const EngineCalls& engine, Control& control,
                   EventSink& events, Report& report);

  // What Run() has found to be unequal; OK: nothing.
  const absl::Status& shortfall() const { return shortfall_; }

 private:
  // For `walferry status`.
  void Note(const EngineCalls& engine, const ComparisonNote& note,
            Control& control, EventSink& events) const;
  // What all but the delayed tables was found to be before clients came, by
  // this run or an earlier one.
  ComparisonResult BeforeClientsCame(const EngineCalls& engine,
                                     Control& control) const;

  VerifyOptions options_;
  std::optional<ComparisonResult> before_;  // By this run.
  std::string why_not_;  // Why nothing is compared, if it is to be said.
  absl::Status shortfall_;
};

// The same of all databases. kInvalidArgument: as of Bind. `engine` outlives
// the options.
absl::Status BindServerVerify(const OptionValues& values,
                              const EngineCalls& engine,
                              ServerMigrateOptions& options);

}  // namespace walferry

#endif  // TOOLS_VERIFY_STEP_H_
