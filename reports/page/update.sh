#!/usr/bin/env bash
# Fetches the charting library of the page and checks that it is the one that was
# looked at. It is run by hand when the version below changes; neither a build nor
# a report fetches anything.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
version=4.6.1
digest=c17f2ce49fb9c71ef7fb39c03f868804ac5ab34730149976eebe6b7f807bef0c # of chart.min.js
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "chart.js@$version" > /dev/null && tar xzf "chart.js-$version.tgz")
# The map of the source is not shipped, so nothing should ask for it.
sed '/^\/\/# sourceMappingURL/d' "$work/package/dist/chart.umd.min.js" > "$work/chart.min.js"
echo "$digest  $work/chart.min.js" | sha256sum --check --quiet
cp "$work/chart.min.js" chart.min.js
cp "$work/package/LICENSE.md" chart.LICENSE.md
