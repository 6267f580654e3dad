#include "engine/stream/capture_file.h"

#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "protocol/byte_cursor.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kMagic = "WALFERRY CAPTURE 1\n";
constexpr int kLevel = 3;

std::string Length(size_t size) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(size >> shift));
  }
  return bytes;
}

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("capture ", path, ": ", what));
}

absl::StatusOr<std::string> Decompress(const std::string& path,
                                       absl::string_view compressed) {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  const auto free = absl::MakeCleanup([context] { ZSTD_freeDCtx(context); });
  ZSTD_inBuffer in{compressed.data(), compressed.size(), 0};
  std::string content;
  std::string piece(ZSTD_DStreamOutSize(), '\0');
  size_t expected = 1;
  while (in.pos < in.size) {
    ZSTD_outBuffer out{piece.data(), piece.size(), 0};
    expected = ZSTD_decompressStream(context, &out, &in);
    if (ZSTD_isError(expected)) {
      return Damaged(path, ZSTD_getErrorName(expected));
    }
    content.append(piece.data(), out.pos);
  }
  if (expected != 0) return Damaged(path, "is cut short");
  return content;
}

}  // namespace

void CaptureWriter::FreeContext::operator()(ZSTD_CCtx* context) const {
  ZSTD_freeCCtx(context);
}

absl::StatusOr<CaptureWriter> CaptureWriter::Create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "wbx");
  if (file == nullptr) {
    const int error = errno;
    const std::string text =
        absl::StrCat("capture ", path, ": ", std::strerror(error));
    if (error == EEXIST) {
      return WithHint(absl::AlreadyExistsError(text),
                      "a record is never written over: name another file, or "
                      "remove this one first");
    }
    return absl::PermissionDeniedError(text);
  }
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  CaptureWriter writer(file, context, path);
  if (std::fwrite(kMagic.data(), 1, kMagic.size(), file) != kMagic.size()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("capture ", path, ": ", std::strerror(errno)));
  }
  return writer;
}

absl::Status CaptureWriter::Add(absl::string_view frame) {
  ++frames_;
  bytes_ += static_cast<int64_t>(frame.size());
  RETURN_IF_ERROR(Compress(Length(frame.size()), /*end=*/false));
  return Compress(frame, /*end=*/false);
}

absl::Status CaptureWriter::Finish() {
  RETURN_IF_ERROR(Compress("", /*end=*/true));
  if (std::fflush(file_.get()) == 0) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("capture ", path_, ": ", std::strerror(errno)));
}

absl::Status CaptureWriter::Compress(absl::string_view bytes, bool end) {
  output_.resize(ZSTD_CStreamOutSize());
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  while (true) {
    ZSTD_outBuffer out{output_.data(), output_.size(), 0};
    const size_t left = ZSTD_compressStream2(
        context_.get(), &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left)) {
      return absl::InternalError(
          absl::StrCat("capture: zstd: ", ZSTD_getErrorName(left)));
    }
    if (std::fwrite(output_.data(), 1, out.pos, file_.get()) != out.pos) {
      return absl::ResourceExhaustedError(
          absl::StrCat("capture ", path_, ": ", std::strerror(errno)));
    }
    if (end ? left == 0 : in.pos == in.size) return absl::OkStatus();
  }
}

absl::StatusOr<Capture> Capture::Read(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(absl::StrCat(
        "capture ", path, ": cannot be read: ", std::strerror(errno)));
  }
  const std::string whole{std::istreambuf_iterator<char>(file),
                          std::istreambuf_iterator<char>()};
  absl::string_view compressed = whole;
  if (!absl::ConsumePrefix(&compressed, kMagic)) {
    return Damaged(path, "is not a capture of this version");
  }
  ASSIGN_OR_RETURN(std::string content, Decompress(path, compressed));
  Capture capture;
  capture.content_ = std::make_unique<std::string>(std::move(content));
  ByteCursor in(*capture.content_);
  while (in.ok() && !in.rest().empty()) {
    capture.frames_.push_back(in.ReadBytes(in.ReadUint32()));
  }
  if (!in.ok()) return Damaged(path, "has a frame that is cut short");
  return capture;
}

}  // namespace walferry
