#include "tools/completion.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "tools/command_table.h"
#include "tools/option_table.h"
#include "tools/option_value.h"

namespace walferry {
namespace {

std::string CommandNames() {
  std::vector<absl::string_view> names;
  for (const CommandSpec& spec : Commands()) names.push_back(spec.name);
  return absl::StrJoin(names, " ");
}

// "--source --target bash zsh": what may follow the command.
std::string WordsOf(const CommandSpec& command) {
  std::vector<std::string> words;
  for (const OptionSpec& spec : Options()) {
    if (!Contains(spec.commands, command.command)) continue;
    words.push_back(absl::StrCat("--", spec.name));
  }
  for (std::string& choice : ChoicesOf(command.argument_choices)) {
    words.push_back(choice);
  }
  return absl::StrJoin(words, " ");
}

// Cases of `case $previous in` for options that take a value.
std::string BashValueCases() {
  std::vector<std::string> files, texts;
  std::string cases;
  for (const OptionSpec& spec : Options()) {
    if (spec.type == OptionType::kFlag) continue;
    const std::string flag = absl::StrCat("--", spec.name);
    if (spec.type == OptionType::kChoice) {
      absl::StrAppend(&cases, "    ", flag, ")\n      words='",
                      absl::StrReplaceAll(spec.choices, {{"|", " "}}),
                      "' ;;\n");
    } else {
      (spec.file ? files : texts).push_back(flag);
    }
  }
  absl::StrAppend(&cases, "    ", absl::StrJoin(files, " | "), ")\n",
                  "      compopt -o filenames\n"
                  "      mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
                  "      return ;;\n");
  absl::StrAppend(&cases, "    ", absl::StrJoin(texts, " | "), ")\n",
                  "      return ;;\n");
  return cases;
}

std::string BashCommandCases() {
  std::string cases;
  for (const CommandSpec& spec : Commands()) {
    absl::StrAppend(&cases, "        ", spec.name, ") words='", WordsOf(spec),
                    "' ;;\n");
  }
  absl::StrAppend(&cases, "        help) words='", CommandNames(), "' ;;\n");
  return cases;
}

constexpr absl::string_view kBash = R"(# bash completion for walferry
_walferry() {
  local current=${COMP_WORDS[COMP_CWORD]} previous= words=
  COMPREPLY=()
  ((COMP_CWORD > 1)) && previous=${COMP_WORDS[COMP_CWORD-1]}
  # bash divides --option=value into three words.
  if [[ $current == '=' ]]; then
    current=
  elif [[ $previous == '=' ]]; then
    previous=${COMP_WORDS[COMP_CWORD-2]}
  fi
  case $previous in
$VALUES    '')
      words='$COMMANDS help --help --version' ;;
    *)
      case ${COMP_WORDS[1]} in
$WORDS      esac ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _walferry walferry
)";

// Inside '...' of zsh and inside the [explanation] of _arguments.
std::string ZshText(absl::string_view text) {
  return absl::StrReplaceAll(
      text,
      {{"'", "'\\''"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}, {"`", ""}});
}

absl::string_view FirstSentence(absl::string_view text) {
  const size_t end = text.find(". ");
  if (end != absl::string_view::npos) return text.substr(0, end);
  return text.substr(0, text.size() - 1);
}

std::string ZshOption(const OptionSpec& spec) {
  const std::string explanation =
      absl::StrCat("[", ZshText(FirstSentence(spec.help)), "]");
  if (spec.type == OptionType::kFlag) {
    return absl::StrCat("'--", spec.name, explanation, "'");
  }
  std::string action;
  if (spec.file) action = "_files";
  if (spec.type == OptionType::kChoice) {
    action =
        absl::StrCat("(", absl::StrReplaceAll(spec.choices, {{"|", " "}}), ")");
  }
  return absl::StrCat("'", spec.type == OptionType::kList ? "*" : "", "--",
                      spec.name, "=", explanation, ":", spec.placeholder, ":",
                      action, "'");
}

std::string ZshCommandCases() {
  std::string cases;
  for (const CommandSpec& command : Commands()) {
    absl::StrAppend(&cases, "    ", command.name, ")\n      _arguments");
    for (const OptionSpec& spec : Options()) {
      if (!Contains(spec.commands, command.command)) continue;
      absl::StrAppend(&cases, " \\\n        ", ZshOption(spec));
    }
    if (!command.argument.empty()) {
      absl::StrAppend(
          &cases, " \\\n        '1:", command.argument, ":(",
          absl::StrReplaceAll(command.argument_choices, {{"|", " "}}), ")'");
    }
    absl::StrAppend(&cases, " ;;\n");
  }
  return cases;
}

std::string ZshCommandList() {
  std::string list;
  for (const CommandSpec& spec : Commands()) {
    absl::StrAppend(&list, "      '", spec.name, ":", ZshText(spec.summary),
                    "'\n");
  }
  return list;
}

constexpr absl::string_view kZsh = R"(#compdef walferry
_walferry() {
  if ((CURRENT == 2)); then
    local -a commands=(
$COMMANDS    )
    _describe command commands
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
$CASES  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _walferry "$@"
else
  compdef _walferry walferry
fi
)";

}  // namespace

std::string BashCompletion() {
  return absl::StrReplaceAll(kBash, {{"$VALUES", BashValueCases()},
                                     {"$COMMANDS", CommandNames()},
                                     {"$WORDS", BashCommandCases()}});
}

std::string ZshCompletion() {
  return absl::StrReplaceAll(
      kZsh, {{"$COMMANDS", ZshCommandList()}, {"$CASES", ZshCommandCases()}});
}

}  // namespace walferry
