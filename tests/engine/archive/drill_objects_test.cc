#include "engine/archive/drill_objects.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

DumpEntry Entry(const std::string& type, const std::string& schema,
                const std::string& name, const std::string& sql = "") {
  DumpEntry entry;
  entry.type = type;
  entry.schema = schema;
  entry.name = name;
  entry.sql = sql;
  return entry;
}

DumpScript Archive() {
  DumpScript script;
  script.entries = {
      Entry("TABLE", "public", "t"),    Entry("TABLE", "s", "t"),
      Entry("INDEX", "s", "i"),         Entry("SCHEMA", "", "public"),
      Entry("COMMENT", "s", "TABLE t"), Entry("ACL", "s", "t"),
      Entry("SUBSCRIPTION", "", "sub")};
  return script;
}

TEST(CompareObjects, CountsThemByKind) {
  const DrillFinding found = CompareObjects(Archive(), Archive());
  EXPECT_EQ(found.outcome, DrillCheck::Outcome::kPassed);
  EXPECT_EQ(found.detail, "3 objects: INDEX 1, TABLE 2");
}

TEST(CompareObjects, NamesWhatIsMissing) {
  DumpScript restored = Archive();
  restored.entries.erase(restored.entries.begin() + 1,
                         restored.entries.begin() + 3);
  const DrillFinding found = CompareObjects(Archive(), restored);
  EXPECT_EQ(found.outcome, DrillCheck::Outcome::kFailed);
  EXPECT_EQ(found.detail,
            "2 objects of the archive missing: INDEX s.i, TABLE s.t");
}

TEST(CompareObjects, TellsOfWhatIsNotInTheArchive) {
  DumpScript restored = Archive();
  restored.entries.push_back(Entry("VIEW", "s", "v"));
  const DrillFinding found = CompareObjects(Archive(), restored);
  EXPECT_EQ(found.outcome, DrillCheck::Outcome::kPassed);
  EXPECT_EQ(found.detail,
            "3 objects: INDEX 1, TABLE 2; not in the archive: VIEW s.v");
}

// Overloads and rules may have one name several times.
TEST(CompareObjects, CountsEqualNames) {
  DumpScript archive = Archive();
  archive.entries.push_back(Entry("INDEX", "s", "i"));
  EXPECT_EQ(CompareObjects(archive, Archive()).outcome,
            DrillCheck::Outcome::kFailed);
}

TEST(NotValidOnPurpose, IsWhatTheArchiveSays) {
  DumpScript archive;
  archive.entries = {
      Entry("CHECK CONSTRAINT", "s", "t c",
            "ALTER TABLE s.t\n    ADD CONSTRAINT c CHECK ((a > 0)) NOT VALID;"),
      Entry("FK CONSTRAINT", "s", "t f",
            "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT f FOREIGN KEY (a) "
            "REFERENCES s.u(a);"),
      Entry("FK CONSTRAINT", "s", "t g",
            "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT g FOREIGN KEY (a) "
            "REFERENCES s.u(a) NOT ENFORCED;")};
  EXPECT_THAT(NotValidOnPurpose(archive), ElementsAre("s.t c", "s.t g"));
}

}  // namespace
}  // namespace walferry
