#ifndef TESTS_TESTING_READ_FILE_H_
#define TESTS_TESTING_READ_FILE_H_

// A file's content as one string.

#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace walferry {

// Every byte up to the end, or to where reading fails, as it does in /proc when
// the process ends meanwhile; "" if there is no such file.
inline std::string ReadFile(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  // Unlike an iterator of the buffer, it throws nothing.
  content << file.rdbuf();
  return std::move(content).str();
}

}  // namespace walferry

#endif  // TESTS_TESTING_READ_FILE_H_
