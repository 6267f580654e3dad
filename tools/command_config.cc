#include <string>

#include "absl/strings/str_cat.h"
#include "tools/command.h"
#include "tools/config_text.h"

namespace walferry {
namespace {

// All settings, then a section for each command that sees some differently.
absl::StatusOr<std::string> ShowEverything(const CommandContext& context) {
  std::string text =
      ShowConfig(Command::kConfig, context.values, context.redactor);
  for (const CommandSpec& spec : Commands()) {
    if (!Contains(ConfigurableCommands(), spec.command)) continue;
    const absl::StatusOr<OptionValues> values = OptionValues::Resolve(
        spec.command, context.line.flags, context.environment, context.config);
    if (!values.ok()) return values.status();
    absl::StrAppend(&text, ShowSection(spec.command, *values, context.values,
                                       context.redactor));
  }
  return text;
}

absl::StatusOr<std::string> ShowFor(const CommandContext& context,
                                    Command command) {
  const absl::StatusOr<OptionValues> values = OptionValues::Resolve(
      command, context.line.flags, context.environment, context.config);
  if (!values.ok()) return values.status();
  return ShowConfig(command, *values, context.redactor);
}

}  // namespace

CommandOutcome RunConfigCommand(const CommandContext& context) {
  if (context.values.Flag(OptionId::kExample)) {
    return FinishWithRedacted(context, ExampleConfig());
  }
  const CommandSpec* command = FindCommand(context.line.argument);
  const absl::StatusOr<std::string> text =
      command == nullptr ? ShowEverything(context)
                         : ShowFor(context, command->command);
  if (!text.ok()) return FailUsage(text.status());
  return FinishWithRedacted(context, *text);
}

}  // namespace walferry
