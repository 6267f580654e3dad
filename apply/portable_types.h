#ifndef APPLY_PORTABLE_TYPES_H_
#define APPLY_PORTABLE_TYPES_H_

// The types whose binary form is the same everywhere.

#include <cstdint>

namespace walferry {

// Whether values of this type may go from one server to another in binary form:
// it is built in, so that its OID means it on every server, and its send and
// receive functions have spoken alike since PostgreSQL 13, with nothing of the
// database, its locale or its other objects in what they say. All others go as
// text.
bool IsPortableType(uint32_t type_oid);

}  // namespace walferry

#endif  // APPLY_PORTABLE_TYPES_H_
