#include "tools/config_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tools/help_text.h"
#include "tools/redaction.h"
#include "tools/text_wrap.h"

namespace walferry {
namespace {

// A basic string of TOML.
std::string Quoted(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      absl::StrAppend(&quoted, "\\", absl::string_view(&c, 1));
    } else if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      absl::StrAppendFormat(&quoted, "\\u%04X", static_cast<unsigned char>(c));
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + "\"";
}

// Redacted before it is quoted: a password may look like a word of the file, or
// end where the quotes do.
std::string TomlValue(const OptionSpec& spec, const OptionValue& value,
                      const Redactor& redactor) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    const auto append = [&](std::string* out, const std::string& element) {
      absl::StrAppend(out, Quoted(redactor.Redact(element)));
    };
    return absl::StrCat("[", absl::StrJoin(*list, ", ", append), "]");
  }
  const std::string text = ToText(value);
  if (spec.secret) return Quoted(RedactConnInfo(text));
  switch (spec.type) {
    case OptionType::kFlag:
    case OptionType::kInteger:
      return text;
    case OptionType::kString:
      return Quoted(redactor.Redact(text));
    default:
      return Quoted(text);
  }
}

// "jobs = 8            # WALFERRY_JOBS".
std::string SettingLine(const OptionSpec& spec,
                        const OptionValues::Entry& entry,
                        const Redactor& redactor) {
  const bool is_default = entry.origin == OriginKind::kDefault;
  if (is_default && ToText(entry.value).empty()) {
    return absl::StrCat("# ", spec.name, " is not set\n");
  }
  return absl::StrFormat(
      "%-39s # %s\n",
      absl::StrCat(spec.name, " = ", TomlValue(spec, entry.value, redactor)),
      is_default ? "default" : entry.where);
}

// --config decides which file is read, so no file can set it.
bool IsSetting(const OptionSpec& spec) {
  return spec.reach == OptionReach::kEverywhere;
}

}  // namespace

std::string ShowConfig(Command command, const OptionValues& values,
                       const Redactor& redactor) {
  std::string text;
  bool heading_due = false;
  ForEachOption(SetOf(command), [&](const OptionSpec& spec, bool first) {
    heading_due = heading_due || first;
    if (!IsSetting(spec)) return;
    if (heading_due) {
      absl::StrAppend(&text, text.empty() ? "" : "\n", "# ",
                      GroupTitle(spec.group), "\n");
      heading_due = false;
    }
    absl::StrAppend(&text, SettingLine(spec, values.entry(spec.id), redactor));
  });
  return text;
}

std::string ShowSection(Command command, const OptionValues& values,
                        const OptionValues& top, const Redactor& redactor) {
  std::string text;
  for (const OptionSpec& spec : Options()) {
    if (!Contains(spec.commands, command) || !IsSetting(spec)) continue;
    const OptionValues::Entry& entry = values.entry(spec.id);
    if (entry.where == top.entry(spec.id).where) continue;
    absl::StrAppend(&text, SettingLine(spec, entry, redactor));
  }
  if (text.empty()) return "";
  return absl::StrCat("\n[", SpecOf(command).name, "]\n", text);
}

std::string ExampleConfig() {
  std::string text = WrapText(
      "Settings of walferry, for --config FILE or WALFERRY_CONFIG. A setting "
      "at the top is for every command that has it; one in a section such as "
      "[migrate] is for that command. Flags and environment win over this "
      "file.",
      "# ");
  ForEachOption(SetOf(Command::kConfig), [&](const OptionSpec& spec, bool) {
    if (!IsSetting(spec)) return;
    std::string value = TomlValue(spec, DefaultValue(spec), Redactor());
    absl::StrAppend(&text, "\n", WrapText(spec.help, "# "), "#", spec.name,
                    " = ", value, "\n");
  });
  return text;
}

}  // namespace walferry
