#ifndef TOOLS_MAN_PAGE_H_
#define TOOLS_MAN_PAGE_H_

// walferry(1) as roff, made from the tables of commands and options.

#include <string>

namespace walferry {

std::string ManPage();

}  // namespace walferry

#endif  // TOOLS_MAN_PAGE_H_
