#include "engine/verify/both_sides.h"

#include <utility>

#include "protocol/pg_query.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<BothAnswers> AskBoth(SessionPair& sessions,
                                    const std::string& source_sql,
                                    const std::string& target_sql) {
  absl::StatusOr<PgQuery> on_source =
      PgQuery::Start(sessions.source, source_sql);
  if (!on_source.ok()) return Annotate(on_source.status(), "source");
  absl::StatusOr<PgQuery> on_target =
      PgQuery::Start(sessions.target, target_sql);
  if (!on_target.ok()) return Annotate(on_target.status(), "target");
  absl::StatusOr<PgResult> source = on_source->Await();
  if (!source.ok()) return Annotate(source.status(), "source");
  absl::StatusOr<PgResult> target = on_target->Await();
  if (!target.ok()) return Annotate(target.status(), "target");
  return BothAnswers{.source = *std::move(source),
                     .target = *std::move(target)};
}

}  // namespace walferry
