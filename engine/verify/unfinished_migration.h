#ifndef ENGINE_VERIFY_UNFINISHED_MIGRATION_H_
#define ENGINE_VERIFY_UNFINISHED_MIGRATION_H_

// A migration that goes on makes one side newer than the other, and whoever
// compares them beside it is told.

#include <string>

#include "engine/options.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

// One sentence without its full stop. "": there is no such migration, or this
// role may not see it, which is another's to say.
std::string MigrationThatGoesOn(const Endpoints& endpoints,
                                const Interrupt& interrupt);

}  // namespace walferry

#endif  // ENGINE_VERIFY_UNFINISHED_MIGRATION_H_
