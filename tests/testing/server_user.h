#ifndef TESTS_TESTING_SERVER_USER_H_
#define TESTS_TESTING_SERVER_USER_H_

// For whom servers run: PostgreSQL refuses to run as root.

#include <string>

#include "absl/status/status.h"

namespace walferry {

// postgres where we are root; otherwise "": ourselves.
std::string ServerUser();

// Makes `user` the owner of a file; "" changes nothing.
absl::Status GiveTo(const std::string& user, const std::string& path);

}  // namespace walferry

#endif  // TESTS_TESTING_SERVER_USER_H_
