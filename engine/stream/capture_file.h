#ifndef ENGINE_STREAM_CAPTURE_FILE_H_
#define ENGINE_STREAM_CAPTURE_FILE_H_

// A recorded replication stream: the frames of a walsender, as they came.
//
// The file is "WALFERRY CAPTURE 1\n", then one zstd stream with checksum of
// records: a length of 32 bits, big-endian, and that many bytes, one frame.
// Values are in kCaptureEncoding.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

typedef struct ZSTD_CCtx_s ZSTD_CCtx;

namespace walferry {

// The client_encoding of who records and who applies. Not the source's own: a
// file outlives the knowledge of where it came from.
inline constexpr absl::string_view kCaptureEncoding = "UTF8";

// Writes a capture. Without Finish() the file is cut short, and says so when
// it is read.
class CaptureWriter {
 public:
  // kAlreadyExists: a file of that name is never written over.
  static absl::StatusOr<CaptureWriter> Create(const std::string& path);

  absl::Status Add(absl::string_view frame);
  absl::Status Finish();

  // Of frames, before compression.
  int64_t bytes() const { return bytes_; }
  int64_t frames() const { return frames_; }

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  struct FreeContext {
    void operator()(ZSTD_CCtx* context) const;
  };
  CaptureWriter(std::FILE* file, ZSTD_CCtx* context, std::string path)
      : file_(file), context_(context), path_(std::move(path)) {}
  absl::Status Compress(absl::string_view bytes, bool end);

  std::unique_ptr<std::FILE, CloseFile> file_;
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
  std::string path_;
  std::string output_;
  int64_t bytes_ = 0;
  int64_t frames_ = 0;
};

// A whole capture in memory.
class Capture {
 public:
  // kNotFound, kDataLoss: no such file; not a capture, damaged or cut short.
  static absl::StatusOr<Capture> Read(const std::string& path);

  // Views the capture.
  const std::vector<absl::string_view>& frames() const { return frames_; }

 private:
  Capture() = default;
  // Behind a pointer, so that the views survive a move.
  std::unique_ptr<std::string> content_;
  std::vector<absl::string_view> frames_;
};

}  // namespace walferry

#endif  // ENGINE_STREAM_CAPTURE_FILE_H_
