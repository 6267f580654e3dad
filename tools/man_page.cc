#include "tools/man_page.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tools/command_table.h"
#include "tools/exit_code.h"
#include "tools/help_text.h"
#include "tools/option_table.h"

namespace walferry {
namespace {

// Text as roff shows it: backslashes and hyphens are what they are, and a line
// that begins with a control character is none.
std::string Escape(absl::string_view text) {
  const std::string escaped =
      absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}});
  const bool control =
      absl::StartsWith(escaped, ".") || absl::StartsWith(escaped, "'");
  return control ? absl::StrCat("\\&", escaped) : escaped;
}

std::string Paragraphs(absl::string_view text) {
  std::string roff;
  for (absl::string_view paragraph : absl::StrSplit(text, "\n\n")) {
    absl::StrAppend(&roff, roff.empty() ? "" : ".PP\n", Escape(paragraph),
                    "\n");
  }
  return roff;
}

std::string Section(absl::string_view title, absl::string_view body) {
  return absl::StrCat(".SH ", title, "\n", body);
}

// A term in bold and what it means.
std::string Item(absl::string_view term, absl::string_view text) {
  return absl::StrCat(".TP\n\\fB", Escape(term), "\\fR\n", Escape(text), "\n");
}

std::string CommandsText() {
  std::string roff;
  for (const CommandSpec& spec : Commands()) {
    absl::StrAppend(&roff, ".SS ", Escape(UsageLine(spec)), "\n",
                    Paragraphs(spec.description));
    absl::StrAppend(&roff, ".PP\nExample:\n.PP\n.EX\n    ",
                    Escape(spec.example), "\n.EE\n");
  }
  return roff;
}

std::string CommandNames(CommandSet commands) {
  std::vector<absl::string_view> names;
  for (const CommandSpec& spec : Commands()) {
    if (Contains(commands, spec.command)) names.push_back(spec.name);
  }
  return absl::StrJoin(names, ", ");
}

std::string OptionsText() {
  std::string roff;
  ForEachOption(~CommandSet{0}, [&](const OptionSpec& spec, bool first) {
    if (first) {
      absl::StrAppend(&roff, ".SS ", Escape(GroupTitle(spec.group)), "\n");
    }
    absl::StrAppend(&roff, Item(OptionHeading(spec), OptionDetails(spec)));
    if (spec.id == OptionId::kHelp) return;
    absl::StrAppend(&roff, "Commands: ", Escape(CommandNames(spec.commands)),
                    ".\n");
  });
  return roff;
}

std::string ConfigurationText() {
  return absl::StrCat(
      Paragraphs(
          "A setting comes from the command line, else from the environment, "
          "else from the configuration file, else it has its default. "
          "`walferry config --show` tells each value and where it comes "
          "from.\n\n"
          "The environment variable of an option is its name in capitals: "
          "WALFERRY_INDEX_JOBS is --index-jobs. Lists are divided by commas; "
          "a flag is true or false. A variable WALFERRY_* that is no option's "
          "is warned of.\n\n"
          "The configuration file, given by --config or WALFERRY_CONFIG, is "
          "TOML. Its keys are the options' names; a section is for one "
          "command:"),
      ".PP\n.EX\n",
      Escape("    source = \"service=old\"\n"
             "    jobs = 8\n"
             "    exclude-table = [\"audit.*\", \"tmp_*\"]\n"
             "    [migrate]\n"
             "    cutover = \"auto\"\n"),
      ".EE\n", ".PP\n",
      Escape("Sizes are powers of 1024 (64MiB), durations have a unit (500ms, "
             "10s, 1h30m)."),
      "\n");
}

std::string SignalsText() {
  return absl::StrCat(
      Item("SIGINT",
           "During migrate and follow once: cut over, or end, as soon as "
           "everything is applied. Again: stop now; the same command goes on "
           "later. A third time: end at once. During capture once: end the "
           "record."),
      Item("SIGTERM",
           "Stop now; the same command goes on later. capture ends its "
           "record well; replay leaves the target half-way."));
}

std::string ExitStatusText() {
  std::string roff;
  for (const ExitCodeMeaning& entry : ExitCodeMeanings()) {
    absl::StrAppend(
        &roff, Item(absl::StrCat(static_cast<int>(entry.code)), entry.meaning));
  }
  return roff;
}

}  // namespace

std::string ManPage() {
  return absl::StrCat(
      ".TH WALFERRY 1 \"\" \"walferry ", WALFERRY_VERSION, "\"\n",
      Section("NAME", absl::StrCat("walferry \\- ", kProgramSummary, "\n")),
      Section("SYNOPSIS",
              "\\fBwalferry\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n"),
      Section("DESCRIPTION",
              Paragraphs("walferry copies a database from one server to "
                         "another, applies the changes that are made "
                         "meanwhile, and lets the target take over when it "
                         "is told to. It needs logical replication on the "
                         "source only: on the target it uses ordinary SQL.")),
      Section("COMMANDS", CommandsText()), Section("OPTIONS", OptionsText()),
      Section("CONFIGURATION", ConfigurationText()),
      Section("SIGNALS", SignalsText()),
      Section("EXIT STATUS", ExitStatusText()),
      Section("SEE ALSO",
              "\\fBpg_dump\\fR(1), \\fBpsql\\fR(1); the chapters on "
              "connection strings and logical replication in the manual of "
              "PostgreSQL.\n"));
}

}  // namespace walferry
