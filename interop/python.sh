#!/usr/bin/env bash
# Runs clients.py with Debian's PyMongo and Motor against cmd/mongotest. Then it
# has Motor follow the changes that README.md's program makes: both must print
# the same.
set -euo pipefail
cd "$(dirname "$0")/.."

dir=$(mktemp -d)
go build -o "$dir/mongotest" ./cmd/mongotest
awk -v RS='```go\n' '/stream\.All/ { sub(/\n```.*/, ""); print }' README.md >"$dir/changes.go"
go build -o "$dir/changes" "$dir/changes.go"
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
for version in 3.6 4.4; do
	"$dir/mongotest" -listen 127.0.0.1:0 -nodes 3 -version "$version" >"$dir/uri" &
	server=$!
	for _ in $(seq 100); do
		[ -s "$dir/uri" ] && break
		sleep 0.1
	done
	echo "MongoDB $version, $(cat "$dir/uri")"
	uri=$(head -n 1 "$dir/uri")
	timeout 120 /usr/bin/python3 interop/clients.py "$uri"
	timeout 60 /usr/bin/python3 interop/changes.py "$uri" >"$dir/motor" 2>"$dir/log" &
	watcher=$!
	for _ in $(seq 100); do
		grep -q watching "$dir/log" && break
		sleep 0.1
	done
	timeout 60 "$dir/changes" "$uri" >"$dir/go"
	wait "$watcher" || { cat "$dir/log"; exit 1; }
	diff "$dir/go" "$dir/motor"
	echo "ok      Motor's loop prints what README.md's program prints"
	cat "$dir/motor"
	kill "$server"
	wait "$server" || true
	: >"$dir/uri"
done
