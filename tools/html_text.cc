#include "tools/html_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace walferry {
namespace {

constexpr absl::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; width: 100%; }
th, td { border-bottom: 1px solid #ccc; padding: .3em .8em .3em 0; text-align: left; vertical-align: top; }
td:last-child { white-space: nowrap; }
.passed { color: #17692d; }
.failed { color: #a31515; font-weight: bold; }
.skipped { color: #6b5900; }
)";

}  // namespace

std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"},
                                    {"<", "&lt;"},
                                    {">", "&gt;"},
                                    {"\"", "&quot;"},
                                    {"'", "&apos;"}});
}

std::string PageBegin(absl::string_view title, absl::string_view more_style) {
  const std::string text = Escaped(title);
  return absl::StrCat(kHead, more_style, "</style>\n<title>", text,
                      "</title>\n</head>\n<body>\n<h1>", text, "</h1>\n");
}

std::string FactRow(absl::string_view name, absl::string_view value) {
  return absl::StrCat("<tr><th>", Escaped(name), "</th><td>", Escaped(value),
                      "</td></tr>\n");
}

}  // namespace walferry
