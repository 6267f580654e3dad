#ifndef ENGINE_SCHEMA_UNPROVEN_FOREIGN_KEY_H_
#define ENGINE_SCHEMA_UNPROVEN_FOREIGN_KEY_H_

// A foreign key that is made before all rows are there, and proven for them
// later.

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace walferry {

struct UnprovenForeignKey {
  // Makes it NOT VALID: it holds for what is written from then on.
  std::string create;
  // Proves it for all rows; "" where the source's is not proven, or not
  // enforced, either.
  std::string validate;
};

// Of what pg_dump prints of a foreign key of an ordinary table, which may have
// settings before it: "ALTER TABLE ONLY t ADD CONSTRAINT c FOREIGN KEY ...;".
// nullopt: it is something else.
std::optional<UnprovenForeignKey> WithoutProof(absl::string_view sql);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_UNPROVEN_FOREIGN_KEY_H_
