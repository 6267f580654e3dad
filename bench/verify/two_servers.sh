# Two servers, "source" and "target", in a folder that is gone afterwards. For
# the scripts beside it, which begin in the project's folder.
#
# WALFERRY names the program (build/release/tools/walferry), SERVER the folder
# with initdb (the newest of /usr/lib/postgresql/*/bin).
# shellcheck shell=bash

walferry=$(realpath "${WALFERRY:-build/release/tools/walferry}")
servers=(/usr/lib/postgresql/*/bin)
server=${SERVER:-${servers[-1]}}
work=$(mktemp -d /tmp/walferry-verify-XXXXXX)
as_postgres=()
if [[ $EUID -eq 0 ]]; then
  chown postgres "$work"
  as_postgres=(runuser -u postgres --)
fi

stop() {
  for side in source target; do
    "${as_postgres[@]}" "$server/pg_ctl" -D "$work/$side" -m immediate stop \
      >"$work/log" 2>&1 || true
  done
  rm -rf "$work"
}
trap stop EXIT

# Over sockets in a folder of its own, so that no port is in anybody's way.
url_of() { echo "postgresql://postgres@/${2:-shop}?host=$work/$1.socket"; }
sql() { # SIDE STATEMENTS
  "$server/psql" -X -q -At -v ON_ERROR_STOP=1 -d "$(url_of "$1")" -c "$2"
}

start() { # SIDE SETTINGS...
  cd "$work"
  "${as_postgres[@]}" mkdir "$work/$1.socket"
  "${as_postgres[@]}" "$server/initdb" -D "$work/$1" -U postgres -A trust \
    --locale=C --encoding=UTF8 >"$work/log"
  cat >>"$work/$1/postgresql.conf" <<SETTINGS
listen_addresses = ''
unix_socket_directories = '$work/$1.socket'
fsync = off
autovacuum = off
shared_buffers = 256MB
max_wal_size = 8GB
$(printf '%s\n' "${@:2}")
SETTINGS
  "${as_postgres[@]}" "$server/pg_ctl" -D "$work/$1" -w -l "$work/$1.log" start \
    >"$work/log"
  cd - >/dev/null
}

check() { # WHAT EXPECTED FOUND
  if [[ $2 == "$3" ]]; then
    echo "ok: $1"
  else
    printf 'NOT: %s\n--- expected\n%s\n--- found\n%s\n' "$1" "$2" "$3"
    exit 1
  fi
}
