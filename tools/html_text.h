#ifndef TOOLS_HTML_TEXT_H_
#define TOOLS_HTML_TEXT_H_

// What pages that need no other file are made of.

#include <string>

#include "absl/strings/string_view.h"

namespace walferry {

// `text` as it is shown between tags and within attributes in double quotes.
std::string Escaped(absl::string_view text);

// From the document's type to the heading. `title` is escaped here;
// `more_style` is CSS of this page alone, whole lines or "".
std::string PageBegin(absl::string_view title,
                      absl::string_view more_style = "");

inline constexpr absl::string_view kPageEnd = "</body>\n</html>\n";

// "<tr><th>name</th><td>value</td></tr>" and a new line; both are escaped.
std::string FactRow(absl::string_view name, absl::string_view value);

}  // namespace walferry

#endif  // TOOLS_HTML_TEXT_H_
