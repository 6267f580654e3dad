#ifndef TOOLS_OPTION_VALUES_H_
#define TOOLS_OPTION_VALUES_H_

// Every option's value for one command, and where it came from: flag before
// environment before configuration file (the command's section before the top)
// before default.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protocol/lsn.h"
#include "tools/command_table.h"
#include "tools/config_file.h"
#include "tools/option_table.h"
#include "tools/option_value.h"

namespace walferry {

// One variable of the environment; nullopt: not set.
using EnvironmentReader =
    std::function<std::optional<std::string>(const std::string& name)>;

// What the command line gave, in its order. A flag without value is "true".
using FlagTexts = std::map<OptionId, std::vector<std::string>>;

enum class OriginKind { kDefault, kFile, kEnvironment, kFlag };

class OptionValues {
 public:
  struct Entry {
    OptionValue value;
    OriginKind origin = OriginKind::kDefault;
    // How a person knows where to change it: "--jobs", "WALFERRY_JOBS",
    // "walferry.toml:7: jobs"; for a default also "--jobs".
    std::string where;
  };

  // `command`'s options come from every layer; all others have their
  // defaults. kInvalidArgument: a value that its option cannot have.
  static absl::StatusOr<OptionValues> Resolve(
      Command command, const FlagTexts& flags,
      const EnvironmentReader& environment,
      const std::vector<ConfigEntry>& config);

  const Entry& entry(OptionId id) const {
    return entries_[static_cast<size_t>(id)];
  }

  // The value of an option of that type.
  const std::string& Text(OptionId id) const { return Get<std::string>(id); }
  const std::vector<std::string>& List(OptionId id) const {
    return Get<std::vector<std::string>>(id);
  }
  bool Flag(OptionId id) const { return Get<bool>(id); }
  int64_t Integer(OptionId id) const { return Get<int64_t>(id); }
  uint64_t Bytes(OptionId id) const { return Get<ByteSize>(id).bytes; }
  absl::Duration Duration(OptionId id) const { return Get<absl::Duration>(id); }
  std::optional<Lsn> LsnValue(OptionId id) const {
    return Get<std::optional<Lsn>>(id);
  }

 private:
  OptionValues() = default;

  template <typename T>
  const T& Get(OptionId id) const {
    return std::get<T>(entry(id).value);
  }

  std::array<Entry, kOptionCount> entries_;
};

// What the environment says of one option; nullopt: nothing. An empty variable
// counts as not set. Knows NO_COLOR.
struct EnvironmentText {
  std::string variable;
  std::vector<std::string> texts;
};
std::optional<EnvironmentText> ReadEnvironment(
    const OptionSpec& spec, const EnvironmentReader& environment);

}  // namespace walferry

#endif  // TOOLS_OPTION_VALUES_H_
