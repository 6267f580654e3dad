#ifndef TESTS_TOOLS_FAKE_TERMINAL_H_
#define TESTS_TOOLS_FAKE_TERMINAL_H_

// A terminal without end: what a person sees after these bytes. Knows the few
// sequences that walferry writes, and nothing else.

#include <cstdlib>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace walferry {

inline std::vector<std::string> ShownLines(const std::string& bytes) {
  std::vector<std::string> lines(1);
  size_t row = 0, column = 0;
  for (size_t at = 0; at < bytes.size(); ++at) {
    const char c = bytes[at];
    if (c == '\r') {
      column = 0;
    } else if (c == '\n') {
      column = 0;
      if (++row == lines.size()) lines.emplace_back();
    } else if (c != '\x1b') {
      lines[row].resize(std::max(lines[row].size(), column), ' ');
      lines[row].replace(column++, 1, 1, c);
    } else {
      const size_t end = bytes.find_first_of("AKJm", at);
      const int count = std::atoi(bytes.c_str() + at + 2);
      switch (bytes[end]) {
        case 'A':
          EXPECT_LE(static_cast<size_t>(count), row);
          row -= static_cast<size_t>(count);
          break;
        case 'K':
          lines[row].resize(std::min(lines[row].size(), column));
          break;
        case 'J':
          lines[row].resize(std::min(lines[row].size(), column));
          lines.resize(row + 1);
          break;
        default:  // Colours are not shown.
          break;
      }
      at = end;
    }
  }
  EXPECT_EQ(lines.back(), "") << "the last line has no end";
  lines.pop_back();
  return lines;
}

}  // namespace walferry

#endif  // TESTS_TOOLS_FAKE_TERMINAL_H_
