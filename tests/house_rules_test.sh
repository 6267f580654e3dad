#!/bin/bash
# Plants each violation of the house rules in a small clean tree and sees that
# house_rules.sh reports it, at its place and alone.

set -u -o pipefail
rules=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/house_rules.sh
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cd "$root" || exit 2
failures=0

fail() { # WHAT
  printf 'FAILED: %s\n' "$1"
  failures=$((failures + 1))
}

header() { # PATH LINES...
  local guard=${1^^}
  guard=${guard//[^A-Z0-9]/_}_
  mkdir -p "${1%/*}"
  printf '%s\n' "#ifndef $guard" "#define $guard" '' '// What it is.' '' \
    "${@:2}" '' "#endif  // $guard" >"$1"
}

clean_tree() {
  rm -rf "${root:?}"/*
  local folder
  for folder in protocol apply engine tools bench tests; do
    mkdir "$folder"
    echo "# $folder" >"$folder/README.md"
  done
  header protocol/lsn.h 'struct Lsn {};'
  echo '#include "protocol/lsn.h"' >engine/slot.cc
  mkdir tests/protocol
  echo 'int main() {}' >tests/protocol/lsn_test.cc
  echo 'walferry_tests(protocol unit 60)' >tests/CMakeLists.txt
}

# The planted tree must give exactly this one line, and the verdict.
folder_of_engine() { # [NAME]
  [[ $# -eq 0 ]] && return
  mkdir "engine/$1"
  echo "# $1" >"engine/$1/README.md"
  echo "file(GLOB sources $1/*.cc)" >engine/CMakeLists.txt
}

expect() { # WHAT EXPECTED_LINE
  local output
  output=$("$rules" "$root")
  if [[ $? -ne 1 || $output != "$2"$'\n1 violations of the house rules' ]]; then
    fail "$1:"$'\n'"expected: $2"$'\n'"got:      $output"
  fi
  clean_tree
}

expect_clean() { # WHAT EXPECTED_OUTPUT_REGEX
  local output
  output=$("$rules" "$root")
  if [[ $? -ne 0 || ! $output =~ $2 ]]; then
    fail "$1:"$'\n'"got: $output"
  fi
  clean_tree
}

string_view='absl::string_view is the string view of this house'
clean_tree
expect_clean 'a clean tree' '^house rules: 3 files, no violation$'

for folder in '' connect/; do
  folder_of_engine $folder
  echo '#include "engine/copy/copy_pool.h"' >"engine/${folder}slot.cc"
  expect 'a folder above inside a floor' \
    "engine/${folder}slot.cc:1: what stands before engine/copy/ must not know it: arrows point down"
done
folder_of_engine stream
echo '#include "engine/copy/copy_pool.h"' >engine/stream/slot.cc
expect_clean 'a folder below inside a floor' 'no violation'
folder_of_engine else
expect 'a folder without a place' \
  "engine/else/:1: its place among the folders of engine/ is not known"

# ---- Includes ----
echo '#include "engine/slot.h"' >apply/applier.cc
expect 'an include that points up' \
  'apply/applier.cc:1: apply/ must not know this folder: arrows point down'
echo '#include "tests/testing/wire.h"' >tools/main.cc
expect 'an include of the tests' \
  'tools/main.cc:1: tools/ must not know this folder: arrows point down'
printf '%s\n' '#include "apply/x.h"' '#include "protocol/x.h"' >engine/a.cc
echo '#include "engine/x.h"' >bench/a_bench.cc
expect_clean 'includes that point down' 'no violation'
echo '#include <libpq-fe.h>' >engine/copy.cc
expect 'libpq outside of its place' \
  'engine/copy.cc:1: libpq is for protocol/pg_* and protocol/replication_stream.* only'
echo '#include "libpq-fe.h"' | tee protocol/pg_copy.cc \
  protocol/replication_stream.cc >tests/protocol/pg_test.cc
expect_clean 'libpq in its place' 'no violation'
echo '#include <zstd.h>' >apply/spill.cc
expect 'zstd outside of engine/' 'apply/spill.cc:1: zstd is for engine/ only'
echo '#include <zstd.h>' >engine/spill.cc
expect_clean 'zstd in engine/' 'no violation'

# ---- Names ----
for word in util utils common helper manager base misc; do
  header "apply/sql_$word.h"
  expect "the name $word" \
    "apply/sql_$word.h:1: say what it is instead of '$word'"
done
mkdir apply/common
expect 'a folder without a meaning' \
  "apply/common:1: say what it is instead of 'common'"
header protocol/database_utility.h
expect_clean 'names that only contain such words' 'no violation'

# ---- Words in the code ----
printf '%s\n' '// std::string_view in a comment' 'std::string_view s;' \
  >protocol/text.cc
expect 'std::string_view' "protocol/text.cc:2: $string_view"
echo 'std::string_view s;  // house-rule: ok, no reason helps here' \
  >apply/text.cc
expect 'std::string_view with a marker outside of JSON' \
  "apply/text.cc:1: $string_view"
echo 'std::string_view s;  // house-rule: ok,' >engine/report_json.cc
expect 'std::string_view with a marker without a reason' \
  "engine/report_json.cc:1: $string_view"
echo 'std::string_view s;  // house-rule: ok, the library takes no other' \
  >engine/report_json.cc
echo 'std::string_view s;' >tools/config_file.cc
expect_clean 'std::string_view where it may be' 'no violation'
for call in 'std::cout << 1;' 'std::cerr << 1;' 'printf("1");' \
  'fprintf(stderr, "1");' 'puts("1");'; do
  echo "$call" >engine/progress.cc
  expect "$call" 'engine/progress.cc:1: only tools/ speaks to the terminal'
done
echo 'snprintf(buffer, 9, "1");' >engine/progress.cc
echo 'std::cout << 1;' >tools/main.cc
expect_clean 'printing where it may be' 'no violation'
for thread in std::thread std::jthread std::async; do
  echo "auto t = $thread(Run);" >tools/main.cc
  expect "$thread" 'tools/main.cc:1: threads are started in engine/ only'
done
printf '%s\n' '// house-rule: ok, for the next line' 'int i;' \
  'std::thread t(Run);' >tools/main.cc
expect 'a thread two lines below a marker' \
  'tools/main.cc:3: threads are started in engine/ only'
echo 'std::jthread t(Run);' >engine/pipeline.cc
echo 'std::thread t(Run);  // house-rule: ok, PQcancel has no timeout' \
  >protocol/pg_cancel.cc
printf '%s\n' '// house-rule: ok, PQcancel has no timeout' \
  'std::thread t(Run);' >protocol/pg_wait.cc
echo 'std::this_thread::yield();' >apply/applier.cc
expect_clean 'threads where they may be' 'no violation'
for open_end in TODO 'TODO(me)' FIXME XXX; do
  printf 'int i;\n// %s: later\n' "$open_end" >apply/applier.cc
  expect "$open_end" \
    'apply/applier.cc:2: an open end without an issue: TODO(NUMBER)'
done
# shellcheck disable=SC2016
echo '// TODO(17): later' >apply/applier.cc
echo 'const char kPath[] = "/tmp/x-XXXXXX";' >tests/protocol/x_test.cc
expect_clean 'a numbered open end' 'no violation'

# ---- Files ----
header protocol/lsn.h
sed -i 's/PROTOCOL_LSN_H_/LSN_H_/' protocol/lsn.h
expect 'a wrong include guard' \
  'protocol/lsn.h:1: the include guard is not PROTOCOL_LSN_H_'
sed -i '/#endif/d' protocol/lsn.h
expect 'an include guard that does not say what it ends' \
  'protocol/lsn.h:1: the include guard is not PROTOCOL_LSN_H_'
sed -i '/What it is/d' protocol/lsn.h
expect 'a header that does not say what it is' \
  'protocol/lsn.h:1: no comment in front of everything else'
sed -i '1i // What it is.' protocol/lsn.h
sed -i '5,6d' protocol/lsn.h
expect_clean 'a comment in front of the guard' 'no violation'
yes 'int i;' | head -601 >apply/applier.cc
expect 'a file that is too long' \
  'apply/applier.cc:601: 601 lines; 600 are the end, 400 the aim'
yes 'int i;' | head -401 >apply/applier.cc
expect_clean 'a file that gets long' \
  '^warning: apply/applier.cc:401: 401 lines; aim at 400'
rm bench/README.md
expect 'a folder without a README' 'bench/README.md:1: missing'
yes | head -41 >tests/README.md
expect 'a README that is too long' 'tests/README.md:41: 41 lines; at most 40'
mkdir apply/deeper && echo 'int i;' >apply/deeper/applier.cc
echo 'file(GLOB sources CONFIGURE_DEPENDS *.cc)' >apply/CMakeLists.txt
expect 'a file that is not built' \
  'apply/deeper/applier.cc:1: apply/CMakeLists.txt does not name deeper'
mkdir tests/forgotten && echo 'int i;' >tests/forgotten/x_test.cc
expect 'a test that is not built' \
  'tests/forgotten/x_test.cc:1: tests/CMakeLists.txt does not name forgotten'
echo 'int i;' >tests/x_test.cc
expect 'a test outside of the folders' \
  'tests/x_test.cc:1: tests/CMakeLists.txt does not name x_test.cc'

rm -rf "${root:?}"/*
"$rules" "$root" >/dev/null 2>&1
[[ $? -eq 2 ]] || fail 'a tree without sources'

if [[ $failures -gt 0 ]]; then
  echo "$failures failures"
  exit 1
fi
echo 'house rules: every violation is seen'
