#!/usr/bin/env bash
# Verifies the model of the life of one id (lifecycle.pml) and shows that it notices each guard's
# absence. What the lines mean is in docs/lifecycle.md.
set -euo pipefail

usage() {
  cat <<'END'
Usage: model/check.sh [--quick]
Needs spin and gcc. Prints one line per configuration and mutation.
  --quick   the smaller configurations and the mutations that are found at once
  --help
Exit status: 0 when the model holds in all of them and every mutation is caught as expected, 1
otherwise (also when a search could not be finished), 64 wrong command line.
END
}

quick=no
for argument in "$@"; do
  case $argument in
    --quick) quick=yes ;;
    --help) usage; exit 0 ;;
    *) usage >&2; exit 64 ;;
  esac
done
for program in spin gcc; do
  command -v "$program" >/dev/null || { echo "model/check.sh: $program is not installed" >&2; exit 1; }
done

model=$(cd "$(dirname "$0")" && pwd)/lifecycle.pml
folder=$(mktemp -d "${TMPDIR:-/tmp}/genapp-model-XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# One verification: NAME, EXPECTED (holds or fails), then the macros. `fails` means an assertion that
# is violated or a deadlock; a search that ran out of depth or memory is neither. Its line goes to a file, so
# that two can run at once and the lines still come in order.
verify() {
  local name=$1 expected=$2
  shift 2
  local here=$folder/$name optimise=(-O0)
  case $name in *-large) optimise=(-O1 -DCOLLAPSE) ;; esac # -O1 takes 10 s to compile, -O0 1.5 s
  mkdir "$here"
  cd "$here"
  if ! spin -a "$@" "$model" >spin.log 2>&1 ||
      ! gcc "${optimise[@]}" -w -DSAFETY -DMEMLIM=2000 -DVECTORSZ=1024 -o pan pan.c >gcc.log 2>&1; then
    printf '%-38s BROKEN: does not compile\n' "$name" >line
    cat spin.log gcc.log >>line 2>/dev/null || true
    return
  fi
  nice ./pan -m100000 -w22 >pan.log 2>&1 || true
  local states result verdict
  states=$(awk '/states, stored/ { print $1; exit }' pan.log)
  if grep -q 'max search depth too small\|out of memory\|reached -DMEMLIM\|Search not completed' pan.log &&
      ! grep -q 'errors: [1-9]' pan.log; then
    result=truncated
  elif grep -q 'errors: 0' pan.log; then
    result=holds
  elif grep -q 'errors: [1-9]' pan.log && grep -q 'assertion violated\|invalid end state' pan.log; then
    result=fails
  else
    result=unclear
  fi
  verdict=ok
  [ "$result" = "$expected" ] || verdict=WRONG
  printf '%-38s %10s states  %-9s %-5s' "$name" "${states:-0}" "$result" "$verdict" >line
  if [ "$result" = fails ]; then
    sed -n 's/^pan:[0-9]*: //p' pan.log | head -1 | tr -s ' ' | cut -c1-90 | sed 's/^/ /' >>line
  else
    echo >>line
  fi
  rm -f pan pan.?
}

names=()
jobs_allowed=2
schedule() {
  names+=("$1")
  while [ "$(jobs -rp | wc -l)" -ge "$jobs_allowed" ]; do wait -n || true; done
  (verify "$@") &
}
in_full() {
  if [ "$quick" = no ]; then schedule "$@"; fi
}

# The model itself. I: a daemon serves when it begins.
I=-DINITIAL=1
schedule restore-remove holds -DRESTORES=1 -DREMOVES=1 -DCRASHES=1
schedule restore-recover holds -DRESTORES=1 -DRECOVERS=1 -DREMOVES=0 "$I" -DCRASHES=1
schedule recover-remove holds -DRESTORES=0 -DRECOVERS=1 -DREMOVES=1 "$I" -DCRASHES=1
schedule check-hung holds -DRESTORES=1 -DREMOVES=0 "$I" -DCHECKS=1 -DCRASHES=1 -DHANGS=1
schedule check-flag holds -DRESTORES=1 -DREMOVES=0 "$I" -DCHECKS=1 -DCRASHES=1 -DFLAGS=1
in_full restore-recover-remove-check-large holds -DRESTORES=1 -DRECOVERS=1 -DREMOVES=1 -DCHECKS=1 -DCRASHES=0
in_full restore-remove-stranger holds -DRESTORES=1 -DREMOVES=1 "$I" -DCRASHES=1 -DSTRANGERS=1
in_full restore-restore holds -DRESTORES=2 -DREMOVES=0 -DCRASHES=1
in_full restore-restore-ok holds -DRESTORES=2 -DREMOVES=0 "$I" -DCRASHES=1 -DALREADY_OK
in_full restore-remove-two-crashes holds -DRESTORES=1 -DREMOVES=1 -DCRASHES=2
in_full recover-remove-two-crashes holds -DRESTORES=0 -DRECOVERS=1 -DREMOVES=1 "$I" -DCRASHES=2
in_full restore-remove-remove holds -DRESTORES=1 -DREMOVES=2 -DCRASHES=0
in_full remove-remove-two-crashes holds -DRESTORES=0 -DREMOVES=2 "$I" -DCRASHES=2
in_full recover-check holds -DRESTORES=0 -DRECOVERS=1 -DREMOVES=0 "$I" -DCHECKS=1 -DCRASHES=1 -DHANGS=1 -DFLAGS=1

# mutation NAME EXPECTED MACROS: the macro MUTATE_NAME is added.
mutation() { schedule "without:$1" "$2" "-DMUTATE_$1" "${@:3}"; }
mutation_in_full() {
  if [ "$quick" = no ]; then mutation "$@"; fi
}

stranger=(-DRESTORES=0 -DREMOVES=1 "$I" -DCRASHES=1 -DSTRANGERS=1)
restore_stranger=(-DRESTORES=1 -DREMOVES=1 "$I" -DCRASHES=1 -DSTRANGERS=1)
restore_remove=(-DRESTORES=1 -DREMOVES=1 -DCRASHES=1)
mutation SIGNAL_BY_PID fails "${stranger[@]}"
mutation_in_full NO_START_TICKS fails "${restore_stranger[@]}"
mutation NO_ALIVE_LOCK fails "${restore_stranger[@]}"
mutation NO_INODE_RECHECK fails "${restore_remove[@]}"
mutation UNLINK_BEFORE_LOCK fails "${restore_remove[@]}"
mutation NO_COMMIT fails -DRESTORES=1 -DREMOVES=0 -DCRASHES=1
mutation_in_full NO_TAKE_NOTE_CHECK fails -DRESTORES=2 -DREMOVES=1 -DCRASHES=0
mutation NO_TAKE_NOTE_LOCK_CHECK fails "${restore_remove[@]}"
mutation RECOVER_NO_STATE_CHECK fails -DRESTORES=0 -DRECOVERS=1 -DREMOVES=1 "$I" -DCRASHES=1
mutation REMOVE_YIELDS fails -DRESTORES=0 -DRECOVERS=1 -DREMOVES=1 "$I" -DCRASHES=0
mutation LEAVE_TEMPORARIES fails -DRESTORES=1 -DREMOVES=0 -DCRASHES=1
mutation NO_CLEAR_FLAG fails -DRESTORES=1 -DREMOVES=0 "$I" -DCRASHES=1 -DFLAGS=1
mutation SERVING_BEFORE_COUNTS fails -DRESTORES=2 -DREMOVES=0 -DCRASHES=1 -DALREADY_OK
mutation_in_full OK_FOR_ANY_DAEMON fails -DRESTORES=2 -DREMOVES=0 "$I" -DCRASHES=1 -DALREADY_OK
mutation CHECK_TRUSTS_PID fails -DRESTORES=0 -DREMOVES=0 "$I" -DCHECKS=1 -DCRASHES=1 -DSTRANGERS=1
mutation CHECK_NO_QUESTION fails -DRESTORES=0 -DREMOVES=0 "$I" -DCHECKS=1 -DCRASHES=1 -DHANGS=1
mutation CHECK_NO_FLAG fails -DRESTORES=0 -DREMOVES=0 "$I" -DCHECKS=1 -DCRASHES=1 -DFLAGS=1

# Second lines of defence: without them alone, nothing breaks. Should one of these be caught one
# day, the first line has changed.
mutation_in_full NO_LOCK_REREAD holds "${restore_stranger[@]}"
schedule without:NO_LOCK_REREAD-same-ticks fails -DMUTATE_NO_LOCK_REREAD "${stranger[@]}" -DSAME_TICKS
mutation_in_full DAEMON_UNLINK_BEFORE_LOCK holds "${restore_remove[@]}"
mutation_in_full LOCK_RELEASED_BEFORE_EXIT holds "${restore_remove[@]}"
in_full same-ticks holds "${stranger[@]}" -DSAME_TICKS

# What is supposed of the kernel: were it otherwise, these would break.
in_full kernel:descriptors-any-order fails -DRESTORES=1 -DREMOVES=0 "$I" -DCRASHES=1 -DDEATH_ANY_ORDER
in_full kernel:same-tick-and-restore fails "${restore_stranger[@]}" -DSAME_TICKS

wait
status=0
for name in "${names[@]}"; do
  cat "$folder/$name/line"
  grep -q ' ok\b' "$folder/$name/line" || status=1
done
if [ "$status" = 0 ]; then
  echo "all ${#names[@]} as expected, $SECONDS s"
else
  echo "NOT all as expected, $SECONDS s"
fi
exit "$status"
