#include "tests/golden/scenario.h"

#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "protocol/status.h"

namespace walferry {
namespace {

class Reader {
 public:
  explicit Reader(std::string directory) : directory_(std::move(directory)) {}

  absl::Status ReadFile(const std::string& file) {
    std::ifstream in(absl::StrCat(directory_, "/", file));
    if (!in) return absl::NotFoundError(absl::StrCat(directory_, "/", file));
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || absl::StartsWith(line, "--")) continue;
      RETURN_IF_ERROR(line[0] == '@' ? Directive(line) : SqlLine(line));
    }
    return absl::OkStatus();
  }

  Scenario Take() { return std::move(scenario_); }

 private:
  absl::Status Directive(absl::string_view line) {
    if (line == "@start") {
      scenario_.before_slot = std::exchange(scenario_.steps, {});
    } else if (line == "@sync") {
      scenario_.steps.push_back({});
    } else if (line == "@slot two_phase") {
      scenario_.two_phase = true;
    } else if (line.size() == 2) {
      next_.session = line[1];
    } else if (absl::ConsumePrefix(&line, "@options ")) {
      scenario_.options = std::string(line);
    } else if (absl::ConsumePrefix(&line, "@setting ")) {
      scenario_.settings.push_back(std::string(line));
    } else if (absl::ConsumePrefix(&line, "@include ")) {
      return ReadFile(std::string(line));
    } else if (absl::ConsumePrefix(&line, "@server ")) {
      return Number(line, &scenario_.min_server);
    } else if (absl::ConsumePrefix(&line, "@since ")) {
      return Number(line, &next_.min_server);
    } else {
      return absl::InvalidArgumentError(absl::StrCat("unknown line: ", line));
    }
    return absl::OkStatus();
  }

  absl::Status SqlLine(absl::string_view line) {
    absl::StrAppend(&next_.sql, line, "\n");
    if (!absl::EndsWith(line, ";")) return absl::OkStatus();
    scenario_.steps.push_back(next_);
    next_ = {.session = next_.session, .sql = "", .min_server = 0};
    return absl::OkStatus();
  }

  static absl::Status Number(absl::string_view text, int* number) {
    if (absl::SimpleAtoi(text, number)) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("not a number: ", text));
  }

  std::string directory_;
  Scenario scenario_;
  Step next_;
};

}  // namespace

absl::StatusOr<Scenario> ReadScenario(const std::string& directory,
                                      const std::string& name) {
  Reader reader(directory);
  RETURN_IF_ERROR(Annotate(reader.ReadFile(name + ".sql"), name));
  Scenario scenario = reader.Take();
  scenario.name = name;
  return scenario;
}

}  // namespace walferry
