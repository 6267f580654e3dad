#include "tools/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/status.h"
#include "tools/help_text.h"
#include "tools/near_name.h"
#include "tools/redaction.h"

namespace walferry {
namespace {

absl::Status UsageError(absl::string_view text, const std::string& hint) {
  absl::Status status = absl::InvalidArgumentError(text);
  return hint.empty() ? status : WithHint(status, hint);
}

// "--name" of "--name=value".
std::string NamePart(const std::string& token) {
  return token.substr(0, token.find('='));
}

absl::Status UnknownCommand(const std::string& name) {
  std::vector<absl::string_view> known;
  for (const CommandSpec& spec : Commands()) known.push_back(spec.name);
  const std::string near = NearestName(name, known);
  return UsageError(
      absl::StrCat("unknown command \"", RedactConnInfo(name), "\""),
      near.empty() ? "walferry --help lists the commands"
                   : absl::StrCat("did you mean walferry ", near, "?"));
}

absl::Status UnknownOption(const std::string& token, Command command) {
  const std::string name = NamePart(token);
  const CommandSpec& spec = SpecOf(command);
  const OptionSpec* elsewhere =
      absl::StartsWith(name, "--") ? FindOption(name.substr(2)) : nullptr;
  std::vector<std::string> names;
  for (const OptionSpec& option : Options()) {
    if (!Contains(option.commands, command)) continue;
    names.push_back(absl::StrCat("--", option.name));
  }
  const std::string near =
      elsewhere != nullptr ? ""
                           : NearestName(name, std::vector<absl::string_view>(
                                                   names.begin(), names.end()));
  return UsageError(
      elsewhere != nullptr
          ? absl::StrCat("walferry ", spec.name, " has no option ", name)
          : absl::StrCat("unknown option ", name),
      near.empty()
          ? absl::StrCat("walferry ", spec.name, " --help lists the options")
          : absl::StrCat("did you mean ", near, "?"));
}

// CLI11 splits the tokens; what they mean is the table's. Its parser for one
// command, with the traps of 2.1.2 taken out: "--option=" would take the next
// token as the value, "--option --other" the name of the next option, and
// "[abc]" would be taken apart as a list.
class CommandParser {
 public:
  explicit CommandParser(Command command) : command_(command) {
    app_.set_help_flag();
    app_.allow_extras();
    for (const OptionSpec& spec : Options()) {
      if (Contains(spec.commands, command)) AddOption(spec);
    }
  }

  absl::StatusOr<CommandLine> Parse(std::vector<std::string> tokens) {
    RETURN_IF_ERROR(CheckValues(tokens));
    std::reverse(tokens.begin(), tokens.end());
    try {
      app_.parse(std::move(tokens));
    } catch (const CLI::Error& error) {
      // Only flags still fail here; CLI11 names the flag, not the value.
      return UsageError(error.what(), "");
    }
    CommandLine line{.command = command_};
    for (const auto& [id, option] : options_) {
      if (option->count() > 0) line.flags[id] = option->results();
    }
    RETURN_IF_ERROR(ReadArgument(line));
    return line;
  }

 private:
  void AddOption(const OptionSpec& spec) {
    const std::string name =
        absl::StrCat(spec.id == OptionId::kHelp ? "-h,--" : "--", spec.name);
    CLI::Option* option =
        spec.type == OptionType::kFlag
            ? app_.add_flag(name)
            : app_.add_option(name)->expected(1)->allow_extra_args(false);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    options_[spec.id] = option;
  }

  const OptionSpec* FindValued(const std::string& name) const {
    const OptionSpec* spec =
        absl::StartsWith(name, "--") ? FindOption(name.substr(2)) : nullptr;
    if (spec == nullptr || !Contains(spec->commands, command_)) return nullptr;
    return spec->type == OptionType::kFlag ? nullptr : spec;
  }

  // Every option that takes a value has one, and it is not an option.
  absl::Status CheckValues(const std::vector<std::string>& tokens) const {
    for (size_t at = 0; at < tokens.size(); ++at) {
      const std::string name = NamePart(tokens[at]);
      const OptionSpec* spec = FindValued(name);
      if (spec == nullptr) continue;
      const bool in_token = name.size() < tokens[at].size();
      if (!in_token) ++at;
      const bool missing = in_token
                               ? name.size() + 1 == tokens[at].size()
                               : at == tokens.size() || tokens[at].empty() ||
                                     absl::StartsWith(tokens[at], "--");
      if (missing) {
        return UsageError(absl::StrCat(name, " needs a value"),
                          absl::StrCat("write ", name, " ", spec->placeholder));
      }
    }
    return absl::OkStatus();
  }

  // What CLI11 could not place: the argument, or a mistake.
  absl::Status ReadArgument(CommandLine& line) const {
    const CommandSpec& spec = SpecOf(command_);
    for (const std::string& token : app_.remaining()) {
      if (absl::StartsWith(token, "-")) return UnknownOption(token, command_);
      if (spec.argument.empty() || !line.argument.empty()) {
        return UsageError(
            absl::StrCat("unexpected argument \"", RedactConnInfo(token), "\""),
            absl::StrCat("walferry ", spec.name, " --help shows its usage"));
      }
      line.argument = token;
    }
    return CheckArgument(spec, line);
  }

  static absl::Status CheckArgument(const CommandSpec& spec,
                                    const CommandLine& line) {
    if (line.flags.count(OptionId::kHelp) > 0) return absl::OkStatus();
    if (line.argument.empty() && !spec.argument_required) {
      return absl::OkStatus();
    }
    const std::vector<std::string> choices = ChoicesOf(spec.argument_choices);
    if (std::count(choices.begin(), choices.end(), line.argument) > 0) {
      return absl::OkStatus();
    }
    return UsageError(absl::StrCat("walferry ", spec.name, ": ", spec.argument,
                                   " must be ", absl::StrJoin(choices, " or ")),
                      absl::StrCat("usage: ", UsageLine(spec)));
  }

  Command command_;
  CLI::App app_;
  std::map<OptionId, CLI::Option*> options_;
};

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(
    const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    return UsageError("no command is given",
                      "walferry --help lists the commands");
  }
  std::string first = arguments.front();
  std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (first == "--version") first = "version";
  if (first == "help" || first == "--help" || first == "-h") {
    if (rest.empty()) return CommandLine{.general_help = true};
    first = rest.front();
    rest = {"--help"};
  }
  if (absl::StartsWith(first, "-")) {
    return UsageError(absl::StrCat("unknown option ", NamePart(first)),
                      "options stand after the command: walferry COMMAND "
                      "--option");
  }
  const CommandSpec* spec = FindCommand(first);
  if (spec == nullptr) return UnknownCommand(first);
  return CommandParser(spec->command).Parse(std::move(rest));
}

}  // namespace walferry
