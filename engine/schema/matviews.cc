#include "engine/schema/matviews.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<int64_t> RefreshMaterializedViews(
    PgConnection& target, const std::vector<CatalogMaterializedView>& views,
    const std::function<absl::Status(absl::string_view)>& on_view,
    bool delayed) {
  int64_t refreshed = 0;
  for (const CatalogMaterializedView& view : views) {
    if (!view.populated || view.delayed != delayed) continue;
    const std::string name = ToDisplay(view.name);
    if (on_view) RETURN_IF_ERROR(on_view(name));
    const absl::Status status =
        target
            .Exec(absl::StrCat("REFRESH MATERIALIZED VIEW ", Quote(view.name)))
            .status();
    if (!status.ok()) {
      return Annotate(status, absl::StrCat("materialized view ", name));
    }
    ++refreshed;
  }
  return refreshed;
}

}  // namespace walferry
