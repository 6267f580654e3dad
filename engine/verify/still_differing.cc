#include "engine/verify/still_differing.h"

#include <optional>
#include <utility>

#include "engine/verify/piece.h"
#include "engine/verify/table_hold.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::StatusOr<DigestPair> DigestsOf(SessionPair& sessions,
                                     const DifferingRows& rows,
                                     const DifferingPiece& piece) {
  const TablePair& pair = rows.pairs[piece.table];
  RETURN_IF_ERROR(HoldTable(sessions, pair));
  return DigestPiece(sessions, pair, piece.piece, {.hash = rows.hash});
}

}  // namespace

absl::StatusOr<std::vector<DifferingPiece>> StillDiffering(
    const DifferingRows& rows, SnapshotPair& states,
    const Interrupt& interrupt) {
  std::vector<DifferingPiece> differing;
  std::optional<SessionPair> sessions;
  for (const DifferingPiece& piece : rows.pieces) {
    if (!sessions.has_value()) {
      ASSIGN_OR_RETURN(SessionPair opened, states.Open(&interrupt));
      sessions.emplace(std::move(opened));
    }
    const absl::StatusOr<DigestPair> digests =
        DigestsOf(*sessions, rows, piece);
    if (digests.ok()) {
      if (digests->source == digests->target) continue;
      differing.push_back(piece);
      differing.back().digests = *digests;
      continue;
    }
    if (SqlStateOf(digests.status()).empty() ||
        absl::IsUnavailable(digests.status()) ||
        absl::IsCancelled(digests.status())) {
      return digests.status();
    }
    differing.push_back(piece);
    // Its transaction can do nothing more.
    states.Close(*std::move(sessions));
    sessions.reset();
  }
  if (sessions.has_value()) states.Close(*std::move(sessions));
  return differing;
}

}  // namespace walferry
