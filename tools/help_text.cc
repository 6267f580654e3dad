#include "tools/help_text.h"

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tools/exit_code.h"
#include "tools/option_value.h"
#include "tools/text_wrap.h"

namespace walferry {

std::string GeneralHelp() {
  std::string help =
      absl::StrCat("walferry ", WALFERRY_VERSION, " - ", kProgramSummary,
                   "\n\nUsage: walferry COMMAND [OPTIONS]\n\nCommands:\n");
  for (const CommandSpec& spec : Commands()) {
    absl::StrAppendFormat(&help, "  %-12s%s\n", spec.name, spec.summary);
  }
  absl::StrAppend(
      &help, "\n",
      WrapText("walferry COMMAND --help explains a command and its options; "
               "walferry man prints the manual. WALFERRY_SOURCE and "
               "WALFERRY_TARGET stand for --source and --target, so that "
               "passwords need not stand on a command line.",
               ""),
      "\nExit codes:\n");
  for (const ExitCodeMeaning& entry : ExitCodeMeanings()) {
    const std::string meaning = WrapText(entry.meaning, "      ");
    absl::StrAppendFormat(&help, "  %-4d%s", static_cast<int>(entry.code),
                          meaning.substr(6));
  }
  return help;
}

std::string CommandHelp(Command command) {
  const CommandSpec& spec = SpecOf(command);
  std::string help = absl::StrCat("Usage: ", UsageLine(spec), "\n\n",
                                  WrapText(spec.description, ""));
  if (!spec.argument.empty()) {
    const std::string choices =
        absl::StrJoin(ChoicesOf(spec.argument_choices), ", ");
    absl::StrAppend(
        &help, "\n",
        WrapText(absl::StrCat(spec.argument, " is one of ", choices, "."), ""));
  }
  ForEachOption(SetOf(command), [&](const OptionSpec& option, bool first) {
    if (first) {
      absl::StrAppend(&help, "\n", GroupTitle(option.group), ":\n");
    }
    absl::StrAppend(&help, "  ", OptionHeading(option), "\n",
                    WrapText(OptionDetails(option), "      "));
  });
  absl::StrAppend(&help, "\nExample:\n  ", spec.example, "\n");
  return help;
}

std::string UsageLine(const CommandSpec& spec) {
  const std::string usage = absl::StrCat("walferry ", spec.name, " [OPTIONS]");
  if (spec.argument.empty()) return usage;
  if (spec.argument_required) return absl::StrCat(usage, " ", spec.argument);
  return absl::StrCat(usage, " [", spec.argument, "]");
}

std::string OptionHeading(const OptionSpec& spec) {
  return absl::StrCat(spec.id == OptionId::kHelp ? "-h, --" : "--", spec.name,
                      spec.placeholder.empty() ? "" : " ", spec.placeholder);
}

std::string OptionDetails(const OptionSpec& spec) {
  std::string details(spec.help);
  if (!spec.choices.empty()) {
    absl::StrAppend(&details, " One of ",
                    absl::StrJoin(ChoicesOf(spec.choices), ", "), ".");
  }
  std::vector<std::string> facts;
  if (!spec.default_text.empty() && spec.type != OptionType::kFlag) {
    facts.push_back(absl::StrCat("default: ", spec.default_text));
  }
  if (const std::string variable = EnvironmentName(spec); !variable.empty()) {
    facts.push_back(absl::StrCat("env: ", variable));
  }
  if (!facts.empty()) {
    absl::StrAppend(&details, " [", absl::StrJoin(facts, "; "), "]");
  }
  return details;
}

void ForEachOption(CommandSet commands,
                   const std::function<void(const OptionSpec& spec,
                                            bool first_of_group)>& visit) {
  std::optional<OptionGroup> group;
  for (const OptionSpec& spec : Options()) {
    if ((spec.commands & commands) == 0) continue;
    visit(spec, group != spec.group);
    group = spec.group;
  }
}

}  // namespace walferry
