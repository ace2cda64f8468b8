#!/usr/bin/env bash
# Runs clients.py with Debian's PyMongo and Motor against cmd/mongotest.
set -euo pipefail
cd "$(dirname "$0")/.."

dir=$(mktemp -d)
go build -o "$dir/mongotest" ./cmd/mongotest
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
for version in 3.6 4.4; do
	"$dir/mongotest" -listen 127.0.0.1:0 -nodes 3 -version "$version" >"$dir/uri" &
	server=$!
	for _ in $(seq 100); do
		[ -s "$dir/uri" ] && break
		sleep 0.1
	done
	echo "MongoDB $version, $(cat "$dir/uri")"
	timeout 120 /usr/bin/python3 interop/clients.py "$(head -n 1 "$dir/uri")"
	kill "$server"
	wait "$server" || true
	: >"$dir/uri"
done
