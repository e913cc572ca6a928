#!/usr/bin/env bash
# Installs the Python peers, as pinned in requirements.txt, into a virtual
# environment of their own outside the source tree, and prints its folder.
#
#   benchmarks/peers/install.sh [DIR]
#
# Without DIR it is DUIZHANG_PEERS, else duizhang-peers in the user's cache folder,
# where benchmarks/compare looks for it. The DuckDB and Polars peers also need unzip and iconv.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}
if [ "$(uname)" = Darwin ]; then cache=$HOME/Library/Caches; fi
dir=${1:-${DUIZHANG_PEERS:-$cache/duizhang-peers}}

for program in python3 unzip iconv grep; do
  if ! command -v "$program" > /dev/null; then
    echo "$program is not installed" >&2
    exit 1
  fi
done
[ -x "$dir/bin/python" ] || python3 -m venv "$dir"
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
echo "$dir"
