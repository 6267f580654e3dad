#ifndef TOOLS_LOG_H_
#define TOOLS_LOG_H_

// The log on standard error: spdlog, above the live lines, without passwords.

#include <spdlog/logger.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/redaction.h"
#include "tools/screen.h"

namespace walferry {

enum class LogFormat { kText, kJson };

struct LogOptions {
  LogFormat format = LogFormat::kText;
  std::string level = "info";  // "debug", "info", "warning", "error".
  bool color = false;
};

// `screen` and `redactor` outlive the logger. Thread-safe. Text lines look like
// "2026-08-25 12:00:01.123 info    copy: started", JSON lines have "time",
// "level" and "message".
std::shared_ptr<spdlog::logger> CreateLogger(const LogOptions& options,
                                             Screen& screen,
                                             const Redactor& redactor);

// How a command ends that failed: "walferry: error: <message>" and, if there
// is one, "walferry: hint: <hint>"; as JSON one object with "hint" and
// "sqlstate" besides. Not subject to the level.
void PrintError(const absl::Status& status, LogFormat format, Screen& screen,
                const Redactor& redactor);

}  // namespace walferry

#endif  // TOOLS_LOG_H_
