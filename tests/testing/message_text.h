#ifndef TESTS_TESTING_MESSAGE_TEXT_H_
#define TESTS_TESTING_MESSAGE_TEXT_H_

// Decoded messages as one line of text, every field by name, so that a test
// compares a whole message at once and its failure can be read.

#include <cstdint>
#include <map>
#include <string>

#include "protocol/pgoutput.h"
#include "protocol/tuple.h"

namespace walferry {

// "(t'1', n, u, b'000a')": text values in C escapes, binary ones in
// hexadecimal. A long text of one character only is shortened: "t'z*2100'".
std::string ToText(const TupleView& row);

// "Begin final_lsn=0/15EFBD0 commit_time=851040283178141 xid=735". A xid that
// is 0 because there is no stream block is left out.
std::string ToText(const Message& message);

// The changes of a stream, without what differs from run to run: OIDs become
// the names that Relation messages gave them, xids and positions are left out.
class ChangeTexts {
 public:
  // "Delete t K(t'1')"; "" for a message that changes nothing.
  std::string TextOf(const Message& message);

 private:
  std::string Relations(const RelationIds& ids) const;

  std::map<uint32_t, std::string> names_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_MESSAGE_TEXT_H_
