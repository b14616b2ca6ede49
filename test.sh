#!/usr/bin/env bash
# Builds genapp and runs all its tests, from a fresh clone on a bare Debian 12.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'END'
Usage: ./test.sh [--quick | --sweep | --fuzz]
Installs what is missing with apt (as root, or with sudo), builds, and runs all tests: first as
shipped (build/release), then those that concern our own code with AddressSanitizer and
UndefinedBehaviorSanitizer (build/asan), then the fuzzers for 5 s each (build/fuzz).
  --quick   only as shipped
  --sweep   only the sweeps, the races, the hostile probers and the model, as shipped and at full
            length: all of it instead of the subset that the other runs have (three quarters of an
            hour)
  --fuzz    only the fuzzers, for 60 s each
  --help
The model of one id's life is checked with spin, once (its larger searches with --sweep).
The end-to-end tests need network, mount and process namespaces: root, or user namespaces. The one
with a Pacemaker cluster needs root, those of the Debian packages root and a network.
GENAPP_E2E=off leaves all of them out.
Exit status: 0 when every test passed and left nothing behind, 1 otherwise, 64 wrong command line.
END
}

presets=(release asan fuzz)
run_tests=run_all_tests
for argument in "$@"; do
  case $argument in
    --quick) presets=(release) ;;
    --sweep) presets=(release) run_tests=run_full_length ;;
    --fuzz) presets=(fuzz); export GENAPP_FUZZ_SECONDS=60 ;;
    --help) usage; exit 0 ;;
    *) usage >&2; exit 64 ;;
  esac
done

# Every test's temporary folders are made in here, and every process that a test starts, however it
# is renamed or daemonised, has this in its environment. So what this run left can be told from what
# others do on this machine.
scratch=$(mktemp -d "${TMPDIR:-/tmp}/genapp-run-XXXXXX")
# Tests have programs run as other users too.
chmod 711 "$scratch"
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

jobs=$(nproc)
failures=()
summary=()

configure_options=()
if command -v ccache >/dev/null; then
  configure_options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi

leave_out_e2e() { [ "${GENAPP_E2E:-on}" = off ]; }
e2e_warning='*** GENAPP_E2E=off: the end-to-end tests are LEFT OUT ***'

# Which labels a preset leaves out. The model is no program of ours: sanitizers find nothing in it.
# Of the end-to-end tests a build with sanitizers has those of our daemon alone (tests/e2e/CMakeLists.txt).
left_out_labels() {
  local labels='^$'
  if leave_out_e2e; then labels+='|^e2e$|^packaging$|^cluster$'; fi
  if [ "$1" = asan ]; then labels+='|^model$'; fi
  printf '%s' "$labels"
}

build() {
  cmake --preset "$1" "${configure_options[@]}" && cmake --build --preset "$1" --parallel "$jobs"
}

# More tests than processors at once: most of their time is waiting.
run_all_tests() {
  env TMPDIR="$scratch" ctest --preset "$1" --parallel $((2 * jobs)) \
    --label-exclude "$(left_out_labels "$1")" --no-tests=error --output-on-failure
}

# Not through ctest, whose time limits are those of the subset; and one by one.
run_full_length() {
  local program status=0
  model/check.sh || status=1
  for program in sweep stress; do
    env TMPDIR="$scratch" GENAPP_FULL=on "build/$1/tests/$program/${program}_tests" || status=1
  done
  return "$status"
}

# As many as there are processors: they never wait. GENAPP_FUZZ_SECONDS says for how long.
run_fuzzers() {
  env TMPDIR="$scratch" ctest --preset "$1" --parallel "$jobs" --no-tests=error --output-on-failure
}

processes_left() {
  local environment pid
  for environment in /proc/[0-9]*/environ; do
    if grep -qzxF "TMPDIR=$scratch" "$environment" 2>/dev/null; then
      pid=${environment//[!0-9]/}
      echo "process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
    fi
  done
}

files_left() { find "$scratch" -mindepth 1 -maxdepth 1 -name 'genapp-test-*' -printf 'folder %f\n'; }

# Processes that were just killed may take a moment to vanish.
check_nothing_left() {
  local tries
  for tries in {1..50}; do
    if [ -z "$(processes_left)" ]; then break; fi
    sleep 0.1
  done
  [ "$tries" -lt 50 ] || processes_left
  files_left
}

test_preset() {
  local preset=$1 began=$SECONDS log="build/$1/ctest.log" run=$run_tests left
  if [ "$preset" = fuzz ]; then run=run_fuzzers; fi
  echo "=== $preset: building"
  if ! build "$preset"; then
    failures+=("$preset: the build failed")
    return
  fi
  local built=$((SECONDS - began))
  echo "=== $preset: testing"
  "$run" "$preset" 2>&1 | tee "$log" || failures+=("$preset: tests failed")
  summary+=("$preset: $(grep -E 'tests passed|tests? from .* ran|PASSED|FAILED TEST' "$log" | tr '\n' ' ' || echo 'no tests ran') (built in $built s, tested in $((SECONDS - began - built)) s)")
  left=$(check_nothing_left)
  if [ -n "$left" ]; then
    failures+=("$preset: the tests left behind:"$'\n'"$left")
  fi
}

if leave_out_e2e; then echo "$e2e_warning"; fi
tools/packages.sh build test || exit 1
for preset in "${presets[@]}"; do
  test_preset "$preset"
done

echo "=== summary"
printf '%s\n' "${summary[@]}"
if leave_out_e2e; then echo "$e2e_warning"; fi
if [ ${#failures[@]} -gt 0 ]; then
  printf 'FAILED: %s\n' "${failures[@]}"
  exit 1
fi
echo "all well, nothing left behind"
