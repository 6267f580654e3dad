#include "tools/option_values.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// What the strongest layer that sets an option says.
struct Given {
  std::vector<std::string> texts;
  OriginKind origin = OriginKind::kDefault;
  std::string where;
};

std::optional<Given> FromFlags(const OptionSpec& spec, const FlagTexts& flags) {
  const auto found = flags.find(spec.id);
  if (found == flags.end()) return std::nullopt;
  Given given{{}, OriginKind::kFlag, absl::StrCat("--", spec.name)};
  if (spec.type != OptionType::kList) {
    given.texts = found->second;
    return given;
  }
  for (const std::string& text : found->second) {
    for (std::string& element : SplitListText(text)) {
      given.texts.push_back(std::move(element));
    }
  }
  return given;
}

std::optional<Given> FromConfig(const OptionSpec& spec, Command command,
                                const std::vector<ConfigEntry>& config) {
  const ConfigEntry* found = nullptr;
  for (const ConfigEntry& entry : config) {
    if (entry.option != spec.id) continue;
    if (entry.section == command) {
      found = &entry;
      break;
    }
    if (!entry.section.has_value()) found = &entry;
  }
  if (found == nullptr) return std::nullopt;
  return Given{found->texts, OriginKind::kFile,
               absl::StrCat(found->where, ": ", spec.name)};
}

std::optional<Given> Strongest(const OptionSpec& spec, Command command,
                               const FlagTexts& flags,
                               const EnvironmentReader& environment,
                               const std::vector<ConfigEntry>& config) {
  if (std::optional<Given> given = FromFlags(spec, flags)) return given;
  if (std::optional<EnvironmentText> text =
          ReadEnvironment(spec, environment)) {
    return Given{std::move(text->texts), OriginKind::kEnvironment,
                 std::move(text->variable)};
  }
  return FromConfig(spec, command, config);
}

}  // namespace

std::optional<EnvironmentText> ReadEnvironment(
    const OptionSpec& spec, const EnvironmentReader& environment) {
  const std::string name = EnvironmentName(spec);
  if (name.empty()) return std::nullopt;
  const std::optional<std::string> text = environment(name);
  if (text.has_value() && !text->empty()) {
    if (spec.type == OptionType::kList) {
      return EnvironmentText{name, SplitListText(*text)};
    }
    return EnvironmentText{name, {*text}};
  }
  if (spec.id != OptionId::kNoColor) return std::nullopt;
  // no-color.org: any value that is not empty.
  const std::optional<std::string> no_color = environment("NO_COLOR");
  if (!no_color.has_value() || no_color->empty()) return std::nullopt;
  return EnvironmentText{"NO_COLOR", {"true"}};
}

absl::StatusOr<OptionValues> OptionValues::Resolve(
    Command command, const FlagTexts& flags,
    const EnvironmentReader& environment,
    const std::vector<ConfigEntry>& config) {
  OptionValues values;
  for (const OptionSpec& spec : Options()) {
    Entry& entry = values.entries_[static_cast<size_t>(spec.id)];
    entry.value = DefaultValue(spec);
    entry.where = absl::StrCat("--", spec.name);
    if (!Contains(spec.commands, command)) continue;
    std::optional<Given> given =
        Strongest(spec, command, flags, environment, config);
    if (!given.has_value()) continue;
    entry.origin = given->origin;
    entry.where = std::move(given->where);
    absl::StatusOr<OptionValue> value = ParseOptionValue(spec, given->texts);
    if (!value.ok()) {
      absl::Status status = absl::InvalidArgumentError(
          absl::StrCat(entry.where, " ", value.status().message()));
      const std::string hint = HintOf(value.status());
      return hint.empty() ? status : WithHint(status, hint);
    }
    entry.value = *std::move(value);
  }
  return values;
}

}  // namespace walferry
