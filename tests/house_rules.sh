#!/bin/bash
# The rules of the house that neither the compiler nor clang-tidy knows, each
# with its reason. Prints file:line: for every violation and exits 1 if there
# is one; lines that begin with "warning:" do not count.
#
#   tests/house_rules.sh [ROOT]
#
# "// house-rule: ok, REASON" excuses its line, or the line below it if it has
# its own, where a rule allows that.

set -u -o pipefail
shopt -s nullglob globstar
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}" || exit 2

floors=(protocol apply engine tools) # Ground floor first.
engine_folders=(connect ledger catalog schema target copy stream check cutover
  migration archive verify server)
folders=("${floors[@]}" bench tests)
sources=()
for folder in "${folders[@]}"; do
  sources+=("$folder"/**/*.h "$folder"/**/*.cc)
done
if [[ ${#sources[@]} -eq 0 ]]; then
  echo "no sources in $PWD" >&2
  exit 2
fi
violations=$(mktemp)
trap 'rm -f "$violations"' EXIT

report() { # WHERE REASON
  printf '%s: %s\n' "$1" "$2" | tee -a "$violations"
}

# Reports every line of FILES on which the code, that is what is left of a
# comment, matches the extended regular expression.
forbid() { # REASON MARKER_ALLOWED(yes|no) REGEX FILES...
  local reason=$1 marker=$2 regex=$3 where
  shift 3
  [[ $# -gt 0 ]] || return 0
  while IFS= read -r where; do
    report "$where" "$reason"
  done < <(REGEX=$regex MARKER=$marker awk '
    FNR == 1 { excused = 0 }
    ENVIRON["MARKER"] == "yes" && /\/\/ house-rule: ok, ./ {
      if (/^ *\/\//) excused = FNR + 1
      next
    }
    FNR == excused { next }
    { code = $0; sub(/\/\/.*/, "", code) }
    code ~ ENVIRON["REGEX"] { print FILENAME ":" FNR }' "$@")
}

# The members of FILES (in `selected`) that do not match the regular
# expression.
select_except() { # REGEX FILES...
  local regex=$1 file
  shift
  selected=()
  for file in "$@"; do
    [[ $file =~ $regex ]] || selected+=("$file")
  done
}

# Arrows point down: a floor knows itself and the floors below it. Otherwise
# the folders no longer tell a stranger what depends on what.
check_include_direction() {
  local rank other above
  for rank in "${!floors[@]}"; do
    above=(bench tests)
    for other in "${!floors[@]}"; do
      [[ $other -gt $rank ]] && above+=("${floors[$other]}")
    done
    forbid "${floors[$rank]}/ must not know this folder: arrows point down" \
      no "^ *# *include \"($(IFS='|' && echo "${above[*]}"))/" \
      "${floors[$rank]}"/**/*.h "${floors[$rank]}"/**/*.cc
  done
}

# The same inside a floor: each of its folders knows those before it, and what
# all of them share knows none.
check_engine_folders() {
  local rank folder here
  here=(engine/*.h engine/*.cc)
  for rank in "${!engine_folders[@]}"; do
    folder=${engine_folders[$rank]}
    forbid "what stands before engine/$folder/ must not know it: arrows point down" \
      no "^ *# *include \"engine/$folder/" "${here[@]}"
    here+=(engine/"$folder"/*.h engine/"$folder"/*.cc)
  done
  for folder in engine/*/; do
    folder=${folder#engine/}
    [[ " ${engine_folders[*]} " == *" ${folder%/} "* ]] ||
      report "engine/$folder:1" 'its place among the folders of engine/ is not known'
  done
}

# A library that one folder sees can be replaced in a day. Tests and
# benchmarks are free to use what they like.
check_library_headers() {
  select_except '^(protocol/(pg_|replication_stream\.)|tests/|bench/)' \
    "${sources[@]}"
  forbid 'libpq is for protocol/pg_* and protocol/replication_stream.* only' \
    no '^ *# *include ["<](libpq|postgres_ext|pqcomm)' "${selected[@]}"
  select_except '^(engine|tests|bench)/' "${sources[@]}"
  forbid 'zstd is for engine/ only' \
    no '^ *# *include ["<](zstd|zdict)' "${selected[@]}"
}

# A name that fits everything tells nothing, and draws everything in.
check_file_names() {
  local folder path
  local words='utils?|common|helpers?|managers?|base|misc'
  for folder in "${folders[@]}"; do
    for path in "$folder"/**/*; do
      if [[ ${path##*/} =~ (^|[_.-])($words)([_.-]|$) ]]; then
        report "$path:1" "say what it is instead of '${BASH_REMATCH[2]}'"
      fi
    done
  done
}

# Debian's absl::string_view is a type of its own and Abseil takes no other;
# two string types in one code base would need casts at every border. tools/
# speaks to libraries that take std::string_view; where engine/ must (JSON), a
# marker says so.
check_string_view() {
  select_except '^(tools|tests/tools)/|^engine/.*json' "${sources[@]}"
  forbid 'absl::string_view is the string view of this house' \
    no 'std::string_view' "${selected[@]}"
  forbid 'absl::string_view is the string view of this house' \
    yes 'std::string_view' engine/**/*json*.h engine/**/*json*.cc
}

# What a floor has to say goes into a status, an event or the log.
check_printing() {
  select_except '^(tools|bench|tests)/' "${sources[@]}"
  forbid 'only tools/ speaks to the terminal' no \
    '(^|[^A-Za-z0-9_])(std::(cout|cerr|clog)|v?f?printf|f?puts|putchar)($|[^A-Za-z0-9_])' \
    "${selected[@]}"
}

# Whoever starts threads must know who ends them: one floor does. A marker
# explains the exception.
check_threads() {
  select_except '^(engine|bench|tests)/' "${sources[@]}"
  forbid 'threads are started in engine/ only' yes \
    '(std::(j?thread|async)|pthread_create)($|[^A-Za-z0-9_])' "${selected[@]}"
}

# A guard that is not the path will one day be another file's guard too.
check_include_guards() {
  local file guard
  for file in "${sources[@]}"; do
    [[ $file == *.h ]] || continue
    guard=${file^^}
    guard=${guard//[^A-Z0-9]/_}_
    if ! grep -qx "#ifndef $guard" "$file" ||
      ! grep -qx "#define $guard" "$file" ||
      ! grep -qx "#endif  // $guard" "$file"; then
      report "$file:1" "the include guard is not $guard"
    fi
  done
}

# The header is the manual: its first words tell a stranger what it is.
check_header_comments() {
  local file
  for file in "${sources[@]}"; do
    [[ $file == *.h ]] || continue
    if ! awk '
        NR == 1 && /^\/\/ [^ ]/ { found = 1; exit }
        /^#(ifndef|define) [A-Z0-9_]+_H_$/ || /^ *$/ { next }
        { found = /^\/\/ [^ ]/; exit }
        END { exit !found }' "$file"; then
      report "$file:1" 'no comment in front of everything else'
    fi
  done
}

# Long files hold more than one idea.
check_file_lengths() {
  local file lines
  for file in "${sources[@]}"; do
    lines=$(wc -l <"$file")
    if [[ $lines -gt 600 ]]; then
      report "$file:$lines" "$lines lines; 600 are the end, 400 the aim"
    elif [[ $lines -gt 400 ]]; then
      echo "warning: $file:$lines: $lines lines; aim at 400"
    fi
  done
}

# Every folder says what it is for, briefly enough to be read.
check_readmes() {
  local folder lines
  for folder in "${folders[@]}" engine/*/; do
    folder=${folder%/}
    if [[ ! -f $folder/README.md ]]; then
      report "$folder/README.md:1" 'missing'
      continue
    fi
    lines=$(wc -l <"$folder/README.md")
    if [[ $lines -gt 40 ]]; then
      report "$folder/README.md:$lines" "$lines lines; at most 40"
    fi
  done
}

# What nobody has numbered, nobody will do. In comments too, so not by forbid.
check_todos() {
  local line
  while IFS= read -r line; do
    report "$line" 'an open end without an issue: TODO(NUMBER)'
  done < <(awk '{
      rest = $0
      gsub(/TODO\([0-9]+\)/, "", rest)
      gsub(/-?X+"/, "", rest)  # mkstemp
    }
    rest ~ /(^|[^A-Za-z0-9_])(TODO|FIXME|XXX)($|[^A-Za-z0-9_])/ {
      print FILENAME ":" FNR
    }' "${sources[@]}")
}

# CMake takes *.cc of each floor, and of the folders below that a
# CMakeLists.txt names: a file elsewhere would silently not be built.
check_every_file_is_built() {
  local file list deeper
  for file in "${sources[@]}"; do
    [[ $file == */*/*.cc || $file == tests/*.cc ]] || continue
    list=${file%%/*}/CMakeLists.txt
    deeper=${file#*/}
    deeper=${deeper%/*}
    if ! grep -Eq "(^|[^A-Za-z0-9_])$deeper($|[^A-Za-z0-9_])" "$list"; then
      report "$file:1" "$list does not name $deeper"
    fi
  done
}

check_include_direction
check_engine_folders
check_library_headers
check_file_names
check_string_view
check_printing
check_threads
check_include_guards
check_header_comments
check_file_lengths
check_readmes
check_todos
check_every_file_is_built

count=$(wc -l <"$violations")
if [[ $count -gt 0 ]]; then
  echo "$count violations of the house rules"
  exit 1
fi
echo "house rules: ${#sources[@]} files, no violation"
