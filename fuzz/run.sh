#!/bin/sh
# fuzz/run.sh FUZZER CORPUS MOST_BYTES: runs FUZZER for $GENAPP_FUZZ_SECONDS (by default 5) from the
# inputs in CORPUS, and longer ones of its own making. What it learns goes to a copy, so that the
# tree stays as it is. An input that a property does not hold for is kept in the folder `crashes`
# beside FUZZER. Exit status: 0 when every property held.
set -eu

fuzzer=$1
corpus=$2
most_bytes=$3
seconds=${GENAPP_FUZZ_SECONDS:-5}
crashes=$(dirname "$fuzzer")/crashes

mkdir -p "$crashes"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/genapp-test-fuzz-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cp "$corpus"/* "$scratch"

symbolizer=$(command -v llvm-symbolizer-14 || true)
export ASAN_SYMBOLIZER_PATH="$symbolizer"
if "$fuzzer" -max_total_time="$seconds" -max_len="$most_bytes" -timeout=25 -rss_limit_mb=2048 \
  -use_value_profile=1 -print_final_stats=1 -artifact_prefix="$crashes/$(basename "$fuzzer")-" \
  "$scratch"; then
  exit 0
fi
cat >&2 <<END
fuzz: $(basename "$fuzzer") found an input; its path is above, after "Test unit written to".
fuzz: to see it again:  $fuzzer PATH
fuzz: to make it short: $fuzzer -minimize_crash=1 -runs=100000 PATH
fuzz: once it is mended, it belongs into $corpus and into a unit test.
END
exit 1
