#ifndef TESTS_TOOLS_SHARED_OUTPUT_H_
#define TESTS_TOOLS_SHARED_OUTPUT_H_

// A stream into memory that another thread may look at meanwhile.

#include <ostream>
#include <streambuf>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace walferry {

// Thread-safe as far as text() and writing go.
class SharedOutput {
 public:
  SharedOutput() : stream_(&buffer_) {}

  std::ostream& stream() { return stream_; }
  std::string text() const { return buffer_.text(); }
  void Clear() { buffer_.Clear(); }

 private:
  class Buffer : public std::streambuf {
   public:
    std::string text() const {
      absl::MutexLock lock(&mutex_);
      return text_;
    }
    void Clear() {
      absl::MutexLock lock(&mutex_);
      text_.clear();
    }

   protected:
    int overflow(int c) override {
      absl::MutexLock lock(&mutex_);
      text_.push_back(static_cast<char>(c));
      return c;
    }
    std::streamsize xsputn(const char* bytes, std::streamsize size) override {
      absl::MutexLock lock(&mutex_);
      text_.append(bytes, static_cast<size_t>(size));
      return size;
    }

   private:
    mutable absl::Mutex mutex_;
    std::string text_ ABSL_GUARDED_BY(mutex_);
  };

  Buffer buffer_;
  std::ostream stream_;
};

}  // namespace walferry

#endif  // TESTS_TOOLS_SHARED_OUTPUT_H_
