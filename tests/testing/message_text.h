#ifndef TESTING_MESSAGE_TEXT_H_
#define TESTING_MESSAGE_TEXT_H_

// Decoded messages as one line of text, every field by name, so that a test
// compares a whole message at once and its failure can be read.

#include <string>

#include "protocol/pgoutput.h"
#include "protocol/tuple.h"

namespace walferry {

// "(t'1', n, u, b'000a')": text values in C escapes, binary ones in
// hexadecimal.
std::string ToText(const TupleView& row);

// "Begin final_lsn=0/15EFBD0 commit_time=851040283178141 xid=735". A xid that
// is 0 because there is no stream block is left out.
std::string ToText(const Message& message);

}  // namespace walferry

#endif  // TESTING_MESSAGE_TEXT_H_
