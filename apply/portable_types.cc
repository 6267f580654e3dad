#include "apply/portable_types.h"

#include <algorithm>
#include <iterator>

namespace walferry {
namespace {

struct PortableType {
  uint32_t oid;
  uint32_t array_oid;
};

// pg_type.dat. Left out of what is built in:
// - reg*, aclitem and row types hold OIDs, which differ between databases;
// - name, which is cut as text where it gets longer in another encoding, and
//   "char", whose byte means something else there;
// - int2vector and oidvector do not read what they write when it is empty;
// - money depends on lc_monetary, xml on the declared encoding;
// - interval: the largest one is finite before PostgreSQL 17 and means infinity
//   from there on. As text it is refused, in binary it would be taken;
// - what is hardly ever stored: tid, xid, snapshots, tsquery, jsonpath, ...
constexpr PortableType kTypes[] = {
    {16, 1000},    // bool
    {17, 1001},    // bytea
    {20, 1016},    // int8
    {21, 1005},    // int2
    {23, 1007},    // int4
    {25, 1009},    // text
    {26, 1028},    // oid
    {114, 199},    // json
    {600, 1017},   // point
    {601, 1018},   // lseg
    {602, 1019},   // path
    {603, 1020},   // box
    {604, 1027},   // polygon
    {628, 629},    // line
    {650, 651},    // cidr
    {700, 1021},   // float4
    {701, 1022},   // float8
    {718, 719},    // circle
    {774, 775},    // macaddr8
    {829, 1040},   // macaddr
    {869, 1041},   // inet
    {1042, 1014},  // bpchar
    {1043, 1015},  // varchar
    {1082, 1182},  // date
    {1083, 1183},  // time
    {1114, 1115},  // timestamp
    {1184, 1185},  // timestamptz
    {1266, 1270},  // timetz
    {1560, 1561},  // bit
    {1562, 1563},  // varbit
    {1700, 1231},  // numeric
    {2950, 2951},  // uuid
    {3614, 3643},  // tsvector
    {3802, 3807},  // jsonb
    {3904, 3905},  // int4range
    {3906, 3907},  // numrange
    {3908, 3909},  // tsrange
    {3910, 3911},  // tstzrange
    {3912, 3913},  // daterange
    {3926, 3927},  // int8range
    {4451, 6150},  // int4multirange
    {4532, 6151},  // nummultirange
    {4533, 6152},  // tsmultirange
    {4534, 6153},  // tstzmultirange
    {4535, 6155},  // datemultirange
    {4536, 6157},  // int8multirange
};

}  // namespace

bool IsPortableType(uint32_t type_oid) {
  return std::any_of(std::begin(kTypes), std::end(kTypes),
                     [type_oid](const PortableType& type) {
                       return type.oid == type_oid ||
                              type.array_oid == type_oid;
                     });
}

}  // namespace walferry
