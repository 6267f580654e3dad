#include "tests/testing/built_paths.h"

namespace walferry {

std::string TestsDirectory() { return WALFERRY_TESTS_DIR; }
std::string WalferryBinary() { return WALFERRY_BINARY; }
std::string EmbedExample() { return WALFERRY_EXAMPLE; }

}  // namespace walferry
