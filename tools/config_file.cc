#include "tools/config_file.h"

#include <toml++/toml.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"
#include "tools/near_name.h"
#include "tools/option_value.h"
#include "tools/toml_file.h"

namespace walferry {
namespace {

// toml++ speaks std::string_view, which Debian's Abseil does not.
absl::string_view View(const toml::key& key) {
  return {key.str().data(), key.str().size()};
}

absl::Status UnknownName(const std::string& where, absl::string_view kind,
                         absl::string_view name,
                         const std::vector<absl::string_view>& known) {
  absl::Status status = absl::InvalidArgumentError(
      absl::StrCat(where, ": unknown ", kind, " \"", name, "\""));
  const std::string near = NearestName(name, known);
  if (near.empty()) return status;
  return WithHint(status, absl::StrCat("did you mean ", near, "?"));
}

bool IsKeyOf(const OptionSpec& spec, std::optional<Command> section) {
  if (spec.reach != OptionReach::kEverywhere) return false;
  return !section.has_value() || Contains(spec.commands, *section);
}

// A scalar as the command line would write it; nullopt: not a kind of value
// that an option has.
std::optional<std::string> ScalarText(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) {
    return absl::StrCat(number->get());
  }
  if (const auto* flag = node.as_boolean()) {
    return flag->get() ? "true" : "false";
  }
  return std::nullopt;
}

// The value's texts, or nullopt as above. A list may be one string, divided
// as on the command line.
std::optional<std::vector<std::string>> ValueTexts(const OptionSpec& spec,
                                                   const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr) {
    const std::optional<std::string> text = ScalarText(node);
    if (!text.has_value()) return std::nullopt;
    if (spec.type == OptionType::kList) return SplitListText(*text);
    return std::vector<std::string>{*text};
  }
  if (spec.type != OptionType::kList) return std::nullopt;
  std::vector<std::string> texts;
  for (const toml::node& element : *array) {
    std::optional<std::string> text = ScalarText(element);
    if (!text.has_value()) return std::nullopt;
    texts.push_back(*std::move(text));
  }
  return texts;
}

class ConfigReader {
 public:
  explicit ConfigReader(absl::string_view file_name) : file_name_(file_name) {}

  absl::Status ReadTop(const toml::table& table) {
    for (const auto& [key, node] : table) {
      if (const toml::table* section = node.as_table()) {
        RETURN_IF_ERROR(ReadSection(key, *section));
      } else {
        RETURN_IF_ERROR(ReadKey(key, node, std::nullopt));
      }
    }
    return absl::OkStatus();
  }

  std::vector<ConfigEntry> TakeEntries() { return std::move(entries_); }

 private:
  std::string Where(const toml::key& key) const {
    return absl::StrCat(file_name_, ":", key.source().begin.line);
  }

  absl::Status ReadSection(const toml::key& key, const toml::table& table) {
    const CommandSpec* command = FindCommand(View(key));
    if (command == nullptr ||
        !Contains(ConfigurableCommands(), command->command)) {
      std::vector<absl::string_view> known;
      for (const CommandSpec& spec : Commands()) {
        if (Contains(ConfigurableCommands(), spec.command)) {
          known.push_back(spec.name);
        }
      }
      return UnknownName(Where(key), "section", View(key), known);
    }
    for (const auto& [inner_key, node] : table) {
      RETURN_IF_ERROR(ReadKey(inner_key, node, command->command));
    }
    return absl::OkStatus();
  }

  absl::Status ReadKey(const toml::key& key, const toml::node& node,
                       std::optional<Command> section) {
    const OptionSpec* spec = FindOption(View(key));
    if (spec == nullptr || !IsKeyOf(*spec, section)) {
      return UnknownKey(key, section);
    }
    const std::string where = Where(key);
    std::optional<std::vector<std::string>> texts = ValueTexts(*spec, node);
    if (!texts.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          where, ": ", spec->name, " must be ", Expectation(*spec)));
    }
    const absl::StatusOr<OptionValue> value = ParseOptionValue(*spec, *texts);
    if (!value.ok()) {
      absl::Status status = absl::InvalidArgumentError(
          absl::StrCat(where, ": ", spec->name, " ", value.status().message()));
      const std::string hint = HintOf(value.status());
      return hint.empty() ? status : WithHint(status, hint);
    }
    entries_.push_back({spec->id, section, *std::move(texts), where});
    return absl::OkStatus();
  }

  absl::Status UnknownKey(const toml::key& key,
                          std::optional<Command> section) const {
    std::vector<absl::string_view> known;
    for (const OptionSpec& spec : Options()) {
      if (IsKeyOf(spec, section)) known.push_back(spec.name);
    }
    const std::string kind =
        section.has_value()
            ? absl::StrCat("key of [", SpecOf(*section).name, "]")
            : "key";
    return UnknownName(Where(key), kind, View(key), known);
  }

  std::string file_name_;
  std::vector<ConfigEntry> entries_;
};

}  // namespace

absl::StatusOr<std::vector<ConfigEntry>> ParseConfig(
    absl::string_view text, absl::string_view file_name) {
  ASSIGN_OR_RETURN(const toml::table table, ParseToml(text, file_name));
  ConfigReader reader(file_name);
  RETURN_IF_ERROR(reader.ReadTop(table));
  return reader.TakeEntries();
}

absl::StatusOr<std::vector<ConfigEntry>> ReadConfigFile(
    const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadSettingsFile(path));
  return ParseConfig(text, path);
}

}  // namespace walferry
