#include "engine/verify/object_differences.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/verify/definition_text.h"

namespace walferry {
namespace {

using Weight = ObjectDifference::Weight;

// Since then public belongs to the database's owner, and not everybody may
// create in it.
constexpr int kPublicIsClosed = 150000;

bool IsOneOf(absl::string_view word,
             std::initializer_list<absl::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Written by the server, so that a newer one may write it otherwise.
bool IsDefinition(absl::string_view facet) {
  return IsOneOf(facet,
                 {"definition", "default", "partitioning", "partition bounds",
                  "USING clause", "WITH CHECK clause"});
}

bool MayBeSecret(absl::string_view kind, absl::string_view facet) {
  return facet == "options" &&
         IsOneOf(kind, {"foreign data wrapper", "server", "user mapping",
                        "foreign table", "column"});
}

// The parts of a text search's or a view's options, say, are no sentence; of
// states a person wants to hear the bad one.
std::string ClauseOf(const std::string& facet, const std::string& source,
                     const std::string& target) {
  struct Phrase {
    absl::string_view facet;
    absl::string_view bad;  // The value that the clause says.
    absl::string_view clause;
  };
  constexpr Phrase kPhrases[] = {
      {"valid", "f", "is not valid"},
      {"enforced", "f", "is not enforced"},
      {"populated", "f", "is not populated"},
      {"valid index", "f", "has an index that is not valid"},
      {"state", "disabled", "is disabled"},
      {"firing of its triggers", "disabled", "has disabled triggers"},
  };
  for (const Phrase& phrase : kPhrases) {
    if (phrase.facet != facet) continue;
    if (target == phrase.bad) {
      return absl::StrCat(phrase.clause, " on the target");
    }
    if (source == phrase.bad) {
      return absl::StrCat(phrase.clause, " on the source");
    }
  }
  return absl::StrCat("differs in its ", facet);
}

std::string InWords(absl::string_view facet, const std::string& value) {
  if (facet == "valid" || facet == "valid index") {
    return value == "t" ? "valid" : "not valid";
  }
  if (facet == "enforced") return value == "t" ? "enforced" : "not enforced";
  if (facet == "populated") return value == "t" ? "populated" : "not populated";
  return value;
}

// What an object that is on one side only looks like.
std::string DescriptionOf(const SchemaObject& object) {
  const auto definition = object.facets.find("definition");
  if (definition != object.facets.end() && !definition->second.empty()) {
    return definition->second;
  }
  std::vector<std::string> facets;
  for (const auto& [facet, value] : object.facets) {
    if (value.empty() || facet == "order of columns" ||
        MayBeSecret(object.kind, facet)) {
      continue;
    }
    facets.push_back(absl::StrCat(facet, " ", InWords(facet, value)));
  }
  return facets.empty() ? "is there" : absl::StrJoin(facets, ", ");
}

class Comparison {
 public:
  Comparison(const SchemaSide& source, const SchemaSide& target,
             SchemaComparison& found)
      : source_(source), target_(target), found_(found) {
    NoteLonely(source_, target_);
    NoteLonely(target_, source_);
  }

  void Run() {
    for (const auto& [key, object] : source_.objects) {
      ++found_.objects;
      const auto other = target_.objects.find(key);
      if (other != target_.objects.end()) {
        Compare(object, other->second);
      } else if (!IsPartOfLonely(object)) {
        Add(object, Weight::kDifference, "is missing on the target",
            DescriptionOf(object), "");
      }
    }
    for (const auto& [key, object] : target_.objects) {
      if (source_.objects.contains(key)) continue;
      ++found_.objects;
      if (IsPartOfLonely(object)) continue;
      // A service may bring extensions of its own.
      Add(object,
          object.kind == "extension" ? Weight::kWarning : Weight::kDifference,
          "is not on the source", "", DescriptionOf(object));
    }
  }

 private:
  static bool IsWhole(const SchemaObject& object) {
    return !object.relation.name.empty() &&
           object.relation == object.own_name &&
           IsOneOf(object.kind, {"table", "foreign table", "view", "domain",
                                 "materialized view", "type"});
  }

  // Tables and the like that `other` has not.
  void NoteLonely(const SchemaSide& side, const SchemaSide& other) {
    for (const auto& [key, object] : side.objects) {
      if (IsWhole(object) && !other.objects.contains(key)) {
        lonely_.insert(object.relation);
      }
    }
  }

  bool IsPartOfLonely(const SchemaObject& object) const {
    return !IsWhole(object) && lonely_.contains(object.relation);
  }

  void Compare(const SchemaObject& source, const SchemaObject& target) {
    for (const auto& [facet, value] : source.facets) {
      const auto other = target.facets.find(facet);
      if (other == target.facets.end() || value == other->second) continue;
      if (facet == "order of columns") {
        CompareOrder(source, value, other->second);
      } else if (!IsDefinition(facet) ||
                 !SameDefinition({value, source_.version},
                                 {other->second, target_.version})) {
        AddFacet(source, facet, value, other->second);
      }
    }
  }

  // Columns that only one side has are told of elsewhere.
  void CompareOrder(const SchemaObject& object, const std::string& source,
                    const std::string& target) {
    using Names = std::vector<std::string>;
    const Names here = absl::StrSplit(source, kColumnDivider);
    const Names there = absl::StrSplit(target, kColumnDivider);
    const auto common = [](const Names& names, const Names& others) {
      Names kept;
      std::copy_if(names.begin(), names.end(), std::back_inserter(kept),
                   [&](const std::string& name) {
                     return std::find(others.begin(), others.end(), name) !=
                            others.end();
                   });
      return absl::StrJoin(kept, ", ");
    };
    if (common(here, there) == common(there, here)) return;
    Add(object, Weight::kDifference, "differs in its order of columns",
        absl::StrJoin(here, ", "), absl::StrJoin(there, ", "));
  }

  void AddFacet(const SchemaObject& object, const std::string& facet,
                const std::string& source, const std::string& target) {
    if (object.kind == "user mapping" && (source.empty() || target.empty())) {
      found_.remarks.push_back(absl::StrCat(
          "user mapping ", object.name,
          ": its options can be seen on one side only, if the other has any"));
      return;
    }
    const std::string what = ClauseOf(facet, source, target);
    if (MayBeSecret(object.kind, facet)) {
      return Add(object, Weight::kDifference, what, "(not shown)",
                 "(not shown)");
    }
    Add(object, WeightOf(object, facet), what, InWords(facet, source),
        InWords(facet, target));
  }

  Weight WeightOf(const SchemaObject& object, const std::string& facet) const {
    const bool crosses = (source_.version < kPublicIsClosed) !=
                         (target_.version < kPublicIsClosed);
    const bool light = object.kind == "database" ||
                       (object.kind == "extension" &&
                        IsOneOf(facet, {"version", "comment"})) ||
                       (object.kind == "collation" && facet == "version") ||
                       (object.kind == "schema" && object.name == "public" &&
                        crosses && IsOneOf(facet, {"owner", "privileges"}));
    return light ? Weight::kWarning : Weight::kDifference;
  }

  void Add(const SchemaObject& object, Weight weight, std::string what,
           std::string source, std::string target) {
    found_.differences.push_back({.weight = weight,
                                  .kind = object.kind,
                                  .object = object.name,
                                  .what = std::move(what),
                                  .source = std::move(source),
                                  .target = std::move(target)});
  }

  const SchemaSide& source_;
  const SchemaSide& target_;
  SchemaComparison& found_;
  absl::flat_hash_set<QualifiedName> lonely_;
};

}  // namespace

void CompareSchemaObjects(const SchemaSide& source, const SchemaSide& target,
                          SchemaComparison& comparison) {
  Comparison(source, target, comparison).Run();
}

}  // namespace walferry
