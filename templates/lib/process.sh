# shellcheck shell=sh
# Starts and stops one application process; the templates' scripts read this file. docs/templates.md
#
# The script that reads it has set
#   NAME           for messages
#   RECORD         file that says which process was started; it exists while the process should run
#   LOG_FILE       gets what the process prints
#   START_TIMEOUT, STOP_TIMEOUT   seconds
#   STOP_SIGNAL    what asks it to end
# and defines ready, which succeeds when the application, running as process $pid, can be used.
#
# A process is ours when number, start time and boot are those in RECORD: a number alone may belong
# to somebody else by now. RECORD is written by the process itself before it becomes the
# application, so there is no moment in which it runs unknown. It is asked not to go to the
# background, and leads a session of its own, so that what it started can be told too.

say() { printf '%s: %s\n' "$NAME" "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

is_seconds() {
  case $1 in '' | *[!0-9]* | 0?*) return 1 ;; esac
}
is_seconds "${START_TIMEOUT:-0}" || fail "a time must be whole seconds, not \"$START_TIMEOUT\""
# A stop does its best.
if ! is_seconds "$STOP_TIMEOUT"; then
  say "a time must be whole seconds, not \"$STOP_TIMEOUT\": 60 are taken"
  STOP_TIMEOUT=60
fi

# Sets now: seconds of a clock that nobody sets.
look_at_clock() {
  read -r now _ </proc/uptime
  now=${now%%.*}
}

# Sets state, session and ticks (its start time) of process $1; fails when it is gone or a zombie.
look_at() {
  state='' session='' ticks=''
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  # Behind the name in parentheses, which may itself hold blanks and parentheses.
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  state=${1-} session=${4-} ticks=${20-}
  case $state in Z | X) return 1 ;; esac
}

# Sets pid, began, boot and program from RECORD; fails when it names no process of this boot.
read_record() {
  pid='' began='' boot='' program=''
  { read -r pid began boot program <"$RECORD"; } 2>/dev/null || return 1
  case $pid:$began in
    :* | *: | *[!0-9:]*)
      say "$RECORD is damaged and is ignored"
      return 1
      ;;
  esac
  read -r this_boot </proc/sys/kernel/random/boot_id
  [ "$boot" = "$this_boot" ]
}

is_leader() { look_at "$pid" && [ "$ticks" = "$began" ]; }
lives() { read_record && is_leader; }

# Prints the processes that ours has started and left behind. They carry a variable in their
# environment; one that has wiped its environment, as nginx's workers do, is known by session and
# executable.
leftovers() {
  look_at "$pid" && return  # it lives, or its number is somebody else's now
  grep -lszxF "GENAPP_STARTED=$pid $began $boot" /proc/[0-9]*/environ |
    while IFS=/ read -r _ _ process _; do
      if look_at "$process"; then echo "$process"; fi
    done
  for folder in /proc/[0-9]*; do
    if look_at "${folder#/proc/}" && [ "$session" = "$pid" ] && [ "${ticks:-0}" -ge "$began" ] &&
      ! grep -qsa = "$folder/environ" && executable=$(readlink "$folder/exe") &&
      [ "${executable% (deleted)}" = "$program" ]; then
      echo "${folder#/proc/}"
    fi
  done
}

# Ends the process and what it left behind; returns when all is gone. Nothing to end is no failure.
end_process() {
  if read_record; then
    if look_at "$pid" && [ "$ticks" != "$began" ]; then
      say "process $pid is not the one that was started: left alone"
    fi
    end_known_process || return 1
  fi
  forget_process
}

# The same for $pid, $began and $boot.
end_known_process() {
  look_at_clock
  deadline=$((now + STOP_TIMEOUT)) signal=$STOP_SIGNAL told=''
  while :; do
    if is_leader; then left=$pid; else left=$(leftovers); fi
    [ -n "$left" ] || return 0
    look_at_clock
    if [ "$now" -ge "$deadline" ]; then
      if [ "$signal" = KILL ]; then
        say "can't end it: process" "$left"
        return 1
      fi
      say "still there after $STOP_TIMEOUT s, gets KILL: process" "$left"
      deadline=$((now + 10)) signal=KILL told=''
    fi
    if [ "$left" != "$told" ]; then
      # shellcheck disable=SC2086  # several
      kill -s "$signal" $left
      told=$left
    fi
    sleep 0.1
  done
}

# Takes RECORD away, unless a start has come meanwhile.
forget_process() {
  [ -e "$RECORD" ] || return 0
  known=$pid
  if ! read_record || [ "$pid" = "$known" ]; then rm -f "$RECORD"; fi
  pid=$known
}

# Run in the new process, with RECORD and the command. ln fails when another start was first.
# shellcheck disable=SC2016
launcher='
record=$1
shift
read -r stat </proc/$$/stat && read -r boot </proc/sys/kernel/random/boot_id || exit 1
ticks=$(set -- ${stat##*) }; echo "${20}")
export GENAPP_STARTED="$$ $ticks $boot"
echo "$GENAPP_STARTED" >"$record.$$" && ln "$record.$$" "$record"
known=$?
rm -f "$record.$$"
[ "$known" -eq 0 ] && exec "$@"
'

# Starts the command, which must stay in the foreground, and returns when it is ready. One that runs
# is left as it is. A start that fails is undone and ends the script with 1.
start_process() {
  log_size=0 started=no
  if lives; then
    say "already running, process $pid"
  else
    # A crash may have left some of it.
    if read_record && ! is_leader; then end_known_process || exit 1; fi
    lives || forget_process
    { true >>"$LOG_FILE"; } 2>/dev/null || fail "can't write $LOG_FILE"
    log_size=$(wc -c <"$LOG_FILE")
    # A shell has its background processes ignore INT and QUIT, for good.
    env --default-signal setsid sh -c "$launcher" launcher "$RECORD" "$@" \
      </dev/null >>"$LOG_FILE" 2>&1 &
    until lives || ! look_at "$!"; do sleep 0.05; done
    # Else another start was first, or there was none.
    if [ "$pid" = "$!" ]; then started=yes; fi
  fi
  look_at_clock
  deadline=$((now + START_TIMEOUT))
  while :; do
    lives || give_up "it ended, and should stay in the foreground"
    if ready; then break; fi
    look_at_clock
    [ "$now" -lt "$deadline" ] || give_up "it is not ready after $START_TIMEOUT s"
    sleep 0.1
  done
  if [ "$started" = yes ]; then
    program=$(readlink "/proc/$pid/exe")
    echo "$pid $began $boot ${program% (deleted)}" >"$RECORD.$pid" && mv "$RECORD.$pid" "$RECORD"
  fi
}

give_up() {
  say "$1; $LOG_FILE has:"
  tail -c "+$((log_size + 1))" "$LOG_FILE" | tail -n 20 >&2
  if [ "$started" = yes ]; then end_process; fi
  if ! lives; then forget_process; fi
  exit 1
}

# For ready: whether file $1, which the server itself writes once it listens, names our process.
is_named_in() {
  { read -r named <"$1"; } 2>/dev/null && [ "$named" = "$pid" ]
}

# What a server that was killed could not take away itself.
remove_pid_file() {
  if [ -n "$pid" ] && is_named_in "$1"; then rm -f "$1"; fi
}
