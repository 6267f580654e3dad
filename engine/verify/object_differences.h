#ifndef ENGINE_VERIFY_OBJECT_DIFFERENCES_H_
#define ENGINE_VERIFY_OBJECT_DIFFERENCES_H_

// The objects of two databases, one beside the other.

#include <string>
#include <vector>

#include "engine/verify/schema_compare.h"
#include "engine/verify/schema_objects.h"

namespace walferry {

struct SchemaSide {
  const SchemaObjects& objects;
  int version = 0;  // The server's.
};

// Adds objects, differences and remarks.
void CompareSchemaObjects(const SchemaSide& source, const SchemaSide& target,
                          SchemaComparison& comparison);

}  // namespace walferry

#endif  // ENGINE_VERIFY_OBJECT_DIFFERENCES_H_
