#include "apply/source_relation.h"

namespace walferry {

SourceRelation SourceRelation::From(const Relation& message) {
  SourceRelation relation;
  relation.id = message.relation_id;
  relation.name.schema =
      message.schema.empty() ? "pg_catalog" : std::string(message.schema);
  relation.name.name = std::string(message.name);
  relation.identity = message.identity;
  relation.columns.reserve(message.columns.size());
  for (RelationColumns::Walker walk(message.columns); !walk.done();) {
    const RelationColumn column = walk.Next();
    relation.columns.push_back({.name = std::string(column.name),
                                .key = column.key,
                                .type_oid = column.type_oid,
                                .type_modifier = column.type_modifier});
  }
  return relation;
}

}  // namespace walferry
