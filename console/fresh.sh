#!/usr/bin/env bash
# Exit status 0: the bundle is there, and nothing that it is made of is newer.
set -euo pipefail

console=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
bundle="$console/dist/index.html"
[ -f "$bundle" ]
newer=$(find "$console" "$console/../grid" "$console/../package-lock.json" -path "$console/dist" -prune -o -type f -newer "$bundle" -print -quit)
[ -z "$newer" ]
