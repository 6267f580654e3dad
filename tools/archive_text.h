#ifndef TOOLS_ARCHIVE_TEXT_H_
#define TOOLS_ARCHIVE_TEXT_H_

// What dump and restore have done, as a person reads it.

#include <string>

#include "engine/archive/archives.h"

namespace walferry {

// Several lines, the last one ended too.
std::string DumpText(const DumpReport& report);
std::string RestoreText(const RestoreOptions& options,
                        const RestoreReport& report);

}  // namespace walferry

#endif  // TOOLS_ARCHIVE_TEXT_H_
