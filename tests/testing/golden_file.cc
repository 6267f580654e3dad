#include "tests/testing/golden_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <tuple>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "protocol/status.h"
#include "protocol/transaction_state.h"

namespace walferry {
namespace {

absl::StatusOr<std::vector<std::string>> ReadPayloads(
    const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<std::string> payloads;
  for (std::string line; std::getline(in, line);) {
    if (!absl::StartsWith(line, "#")) {
      payloads.push_back(absl::HexStringToBytes(line));
    }
  }
  if (payloads.empty()) {
    return absl::NotFoundError(absl::StrCat("no messages in ", path.string()));
  }
  return payloads;
}

}  // namespace

std::string GoldenFile::Name() const {
  return absl::StrCat("pg", server, "_", scenario);
}

bool GoldenFile::parallel_streaming() const {
  return scenario == "parallel" || scenario == "immediate";
}

absl::StatusOr<std::vector<GoldenFile>> ReadGoldenFiles(
    const std::string& directory, const std::set<std::string>& scenarios) {
  std::vector<GoldenFile> files;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(directory)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() != ".hex") continue;
    GoldenFile file;
    const std::string folder = path.parent_path().filename();
    if (!absl::SimpleAtoi(absl::StripPrefix(folder, "pg"), &file.server)) {
      return absl::InvalidArgumentError(
          absl::StrCat(path.string(), ": not in a folder pg<major>"));
    }
    file.scenario = path.stem();
    if (!scenarios.empty() && !scenarios.contains(file.scenario)) continue;
    ASSIGN_OR_RETURN(file.payloads, ReadPayloads(path));
    files.push_back(std::move(file));
  }
  std::sort(
      files.begin(), files.end(), [](const GoldenFile& a, const GoldenFile& b) {
        return std::tie(a.server, a.scenario) < std::tie(b.server, b.scenario);
      });
  return files;
}

absl::StatusOr<std::vector<Message>> DecodeGoldenFile(const GoldenFile& file) {
  TransactionState state;
  std::vector<Message> messages;
  for (const std::string& payload : file.payloads) {
    ASSIGN_OR_RETURN(
        const Message message,
        DecodeMessage(payload,
                      {.in_stream_block = state.in_stream_block(),
                       .parallel_streaming = file.parallel_streaming()}));
    RETURN_IF_ERROR(state.Accept(message));
    messages.push_back(message);
  }
  if (state.in_transaction() || state.open_streams() != 0) {
    return absl::DataLossError("ends in the middle");
  }
  return messages;
}

}  // namespace walferry
