#include "engine/archive/sha256.h"

#include <openssl/evp.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/archive/disk_files.h"
#include "protocol/status.h"

namespace walferry {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

absl::Status LibraryFailed() {
  return absl::InternalError("SHA-256: libcrypto refuses it");
}

}  // namespace

absl::StatusOr<std::string> Sha256OfFile(
    const std::string& path, const Interrupt* interrupt,
    absl::FunctionRef<void(int64_t)> on_bytes) {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  if (context == nullptr ||
      EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) {
    return LibraryFailed();
  }
  RETURN_IF_ERROR(ForEachPiece(path, [&](absl::string_view piece) {
    if (interrupt != nullptr && interrupt->raised()) {
      return absl::CancelledError(absl::StrCat(path, ": interrupted"));
    }
    if (EVP_DigestUpdate(context.get(), piece.data(), piece.size()) != 1) {
      return LibraryFailed();
    }
    on_bytes(static_cast<int64_t>(piece.size()));
    return absl::OkStatus();
  }));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(context.get(), digest, &size) != 1) {
    return LibraryFailed();
  }
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), size));
}

}  // namespace walferry
