#include "tests/testing/script.h"

namespace walferry {

std::string Script::greeting() const {
  if (!greeting_.empty()) return greeting_;
  return BackendMessages()
      .AuthenticationOk()
      .ParameterStatus("server_version", server_version_)
      .ParameterStatus("server_encoding", "UTF8")
      .ParameterStatus("client_encoding", "UTF8")
      .ParameterStatus("DateStyle", "ISO, MDY")
      .ParameterStatus("integer_datetimes", "on")
      .ParameterStatus("standard_conforming_strings", "on")
      .ParameterStatus("TimeZone", "UTC")
      .BackendKeyData(4711, 815)
      .ReadyForQuery()
      .bytes();
}

}  // namespace walferry
