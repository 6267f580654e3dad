#include "tools/program.h"

#include <utility>

#include "absl/status/statusor.h"
#include "protocol/status.h"
#include "tools/command.h"
#include "tools/command_line.h"
#include "tools/config_file.h"
#include "tools/help_text.h"
#include "tools/log.h"
#include "tools/redaction.h"
#include "tools/screen.h"
#include "tools/unknown_variables.h"

namespace walferry {
namespace {

// The file of --config or WALFERRY_CONFIG, if any.
absl::StatusOr<std::vector<ConfigEntry>> ReadConfig(
    const CommandLine& line, const EnvironmentReader& environment) {
  const OptionSpec& spec = SpecOf(OptionId::kConfig);
  if (!Contains(spec.commands, line.command)) {
    return std::vector<ConfigEntry>();
  }
  const auto flag = line.flags.find(OptionId::kConfig);
  if (flag != line.flags.end()) return ReadConfigFile(flag->second.back());
  const std::optional<EnvironmentText> text =
      ReadEnvironment(spec, environment);
  if (!text.has_value()) return std::vector<ConfigEntry>();
  return ReadConfigFile(text->texts.front());
}

// A terminal that understands more than lines.
bool IsCapable(const EnvironmentReader& environment) {
  return environment("TERM").value_or("dumb") != "dumb";
}

LogOptions BindLog(const OptionValues& values, bool color) {
  return {.format = values.Text(OptionId::kLogFormat) == "json"
                        ? LogFormat::kJson
                        : LogFormat::kText,
          .level = values.Text(OptionId::kLogLevel),
          .color = color};
}

// Everything before the command itself: a usage error, or what it needs.
struct Settings {
  CommandLine line;
  std::vector<ConfigEntry> config;
  OptionValues values;
};

absl::StatusOr<Settings> ReadSettings(CommandLine line,
                                      const EnvironmentReader& environment) {
  ASSIGN_OR_RETURN(std::vector<ConfigEntry> config,
                   ReadConfig(line, environment));
  ASSIGN_OR_RETURN(
      OptionValues values,
      OptionValues::Resolve(line.command, line.flags, environment, config));
  return Settings{std::move(line), std::move(config), std::move(values)};
}

// Also those that this command does not use: the ledger may tell of them.
Redactor KnowPasswords(const OptionValues& values,
                       const EnvironmentReader& environment) {
  Redactor redactor;
  for (const OptionSpec& spec : Options()) {
    if (!spec.secret) continue;
    redactor.AddConnInfo(values.Text(spec.id));
    if (const std::optional<EnvironmentText> text =
            ReadEnvironment(spec, environment)) {
      redactor.AddConnInfo(text->texts.front());
    }
  }
  return redactor;
}

ExitCode RunWith(const ProgramInputs& inputs, const Settings& settings) {
  const OptionValues& values = settings.values;
  const Redactor redactor = KnowPasswords(values, inputs.environment);
  const bool capable = IsCapable(inputs.environment);
  const bool color = capable && !values.Flag(OptionId::kNoColor);
  const LogOptions log = BindLog(values, color && inputs.err_is_terminal);
  // Live lines move the cursor, so nothing else may write to the terminal.
  const bool events_in_between =
      inputs.out_is_terminal && values.Text(OptionId::kEvents) == "-";
  Screen screen(inputs.err, capable && inputs.err_is_terminal &&
                                log.format == LogFormat::kText &&
                                !events_in_between);
  for (const std::string& sentence : UnknownVariables(inputs.variables)) {
    CreateLogger(log, screen, redactor)->warn(sentence);
  }
  const CommandOutcome outcome =
      DispatchCommand({.line = settings.line,
                       .values = values,
                       .environment = inputs.environment,
                       .config = settings.config,
                       .engine = inputs.engine,
                       .redactor = redactor,
                       .out = inputs.out,
                       .color_out = color && inputs.out_is_terminal,
                       .screen = screen,
                       .log = log,
                       .terminal_size = inputs.terminal_size,
                       .now = inputs.now,
                       .ask = inputs.ask});
  if (!outcome.error.ok()) {
    PrintError(outcome.error, log.format, screen, redactor);
  }
  return outcome.code;
}

// Before the settings are known.
ExitCode FailEarly(const ProgramInputs& inputs, ExitCode code,
                   const absl::Status& error) {
  Screen screen(inputs.err, false);
  PrintError(error, LogFormat::kText, screen, Redactor());
  return code;
}

ExitCode PrintHelp(const ProgramInputs& inputs, const CommandLine& line) {
  const absl::Status written =
      WriteResult(inputs.out, line.general_help ? GeneralHelp()
                                                : CommandHelp(line.command));
  return written.ok() ? ExitCode::kDone
                      : FailEarly(inputs, ExitCode::kFailed, written);
}

}  // namespace

ExitCode RunProgram(const ProgramInputs& inputs) {
  absl::StatusOr<CommandLine> line = ParseCommandLine(inputs.arguments);
  if (!line.ok()) return FailEarly(inputs, ExitCode::kUsage, line.status());
  // Help is there whatever else is wrong.
  if (line->general_help || line->flags.count(OptionId::kHelp) > 0) {
    return PrintHelp(inputs, *line);
  }
  const absl::StatusOr<Settings> settings =
      ReadSettings(*std::move(line), inputs.environment);
  if (!settings.ok()) {
    return FailEarly(inputs, ExitCode::kUsage, settings.status());
  }
  return RunWith(inputs, *settings);
}

}  // namespace walferry
