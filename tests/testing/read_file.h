#ifndef TESTS_TESTING_READ_FILE_H_
#define TESTS_TESTING_READ_FILE_H_

// A file's content as one string.

#include <fstream>
#include <iterator>
#include <string>

namespace walferry {

// Every byte; "" if there is no such file.
inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file),
          std::istreambuf_iterator<char>()};
}

}  // namespace walferry

#endif  // TESTS_TESTING_READ_FILE_H_
