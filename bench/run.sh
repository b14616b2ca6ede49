#!/usr/bin/env bash
# Builds the release preset and measures it: bench/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'END'
Usage: bench/run.sh [probes] [quickcheck] [memory] [script] [monitors] [agent]
                    [remote] [failover] [-- OPTION...]
Installs what is missing with apt (as root, or with sudo), builds, and runs the benchmarks named, or
the first seven. Tables on standard output, every round's figures in build/release/bench/NAME.json.
OPTIONs go to each benchmark: --rounds N, --runs N; see build/release/bench/NAME --help.
About 40 minutes for the seven on a machine with two processors and nothing else to do; failover needs
root and takes 3 minutes a round.
END
}

names=()
while [ $# -gt 0 ]; do
  case $1 in
    probes | quickcheck | memory | script | monitors | agent | remote | failover) names+=("$1") ;;
    --help) usage; exit 0 ;;
    --) shift; break ;;
    *) usage >&2; exit 64 ;;
  esac
  shift
done
[ ${#names[@]} -gt 0 ] || names=(probes quickcheck memory script monitors agent remote)

tools/packages.sh build bench
cmake --preset release -DGENAPP_BENCH=ON
cmake --build --preset release --target "${names[@]/#/bench_}"
for name in "${names[@]}"; do
  program=build/release/bench/$name
  "$program" --json "$program.json" "$@"
done
