#!/usr/bin/env bash
# Shows genapp's main job with a real HAProxy, step by step, on a bare Debian 12. Every step is
# checked: exit status 1 as soon as one shows something other than what it says.
#
# As root or as any user (then with sudo for packages that are missing). Everything happens in one
# temporary folder and on free loopback ports, and is gone afterwards.
set -euo pipefail
cd "$(dirname "$0")"

case ${1:-} in
  '') ;;
  --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
  *) echo "demo.sh takes no arguments, only --help" >&2; exit 64 ;;
esac

if [ -t 1 ]; then
  bold=$'\e[1m' blue=$'\e[34m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
  bold='' blue='' red='' green='' plain=''
fi

folder=''
haproxy_pid=''
output=''
steps=0

# ---- how a step is shown and checked

step() {
  steps=$((steps + 1))
  printf '\n%s%d. %s%s\n' "$bold" "$steps" "$*" "$plain"
}

say() { printf '   %s\n' "$*"; }

fail() {
  printf '\n%sdemo.sh: step %d: %s%s\n' "$red" "$steps" "$*" "$plain" >&2
  if [ -n "$folder" ] && [ -s "$folder/lbhcd.log" ]; then
    { echo "the daemon's log:"; cat "$folder/lbhcd.log"; } >&2
  fi
  exit 1
}

# As one would type it.
typed() {
  local word line=''
  for word in "$@"; do
    case $word in
      *[!A-Za-z0-9_./:=,@-]*) line+=" '$word'" ;;
      *) line+=" $word" ;;
    esac
  done
  printf '%s' "${line# }"
}

# shows STATUS COMMAND...: the command, what it prints, and the exit status that it must have.
shows() {
  local wanted=$1 status=0
  shift
  printf '   %s$ %s%s\n' "$blue" "$(typed "$@")" "$plain"
  output=$("$@" 2>&1) || status=$?
  [ -z "$output" ] || printf '%s\n' "$output" | sed 's/^/   /'
  [ "$wanted" -eq 0 ] || printf '   (exit status %d)\n' "$status"
  [ "$status" -eq "$wanted" ] || fail "'$*' ended with $status, not $wanted"
}

# The last command's output must have this in it.
saying() {
  case $output in
    *"$1"*) ;;
    *) fail "this should say \"$1\"" ;;
  esac
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
  local limit=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    [ "$SECONDS" -lt "$limit" ] || fail "$what: not within the time it should take"
    sleep 0.05
  done
}

# ---- ports and HAProxy

# free_port N: nobody answers there; another one for every N in 0..3. Below the range that the kernel
# gives to outgoing connections.
free_port() {
  local port
  while :; do
    port=$((20000 + 3000 * $1 + RANDOM % 3000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
}

haproxy_config() {
  cat <<END
global
  stats socket ipv4@127.0.0.1:$control_port level user
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
  timeout check 5s
# What users see.
frontend users
  bind 127.0.0.1:$user_port
  default_backend nodes
# The load balancer's probe: connect, expect the reply.
backend nodes
  option tcp-check
  tcp-check connect port $probe_port linger
  tcp-check expect string PORT\ OK
  server node1 127.0.0.1:$service_port check inter 500ms fall 2 rise 1
# The application on the node; HAProxy plays it, so that the demo needs no other program.
frontend application
  bind 127.0.0.1:$service_port
  http-request return status 200 content-type text/plain string "hello from node1"
END
}

start_haproxy() {
  haproxy -db -f "$folder/haproxy.cfg" >"$folder/haproxy.log" 2>&1 &
  haproxy_pid=$!
  wait_for 20 "HAProxy's start" haproxy_runs
}

stop_haproxy() {
  kill -TERM "$haproxy_pid"
  wait "$haproxy_pid" 2>/dev/null || :
  haproxy_pid=''
}

haproxy_runs() {
  kill -0 "$haproxy_pid" 2>/dev/null || fail "HAProxy ended: $(cat "$folder/haproxy.log")"
  [ -n "$(server_status)" ]
}

# HAProxy's word for the node: UP, DOWN, "UP 1/2" while it is changing its mind.
server_status() {
  {
    exec 3<>"/dev/tcp/127.0.0.1/$control_port" || return 0
    echo "show stat" >&3
    awk -F, '$1 == "nodes" && $2 == "node1" { print $18 }' <&3
    exec 3>&-
  } 2>/dev/null
}

server_is() { [ "$(server_status)" = "$1" ]; }

haproxy_shows() {
  wait_for 20 "HAProxy showing the node $1" server_is "$1"
  say "HAProxy shows node1 as: $green$1$plain"
}

# ---- the node

flag_is_up() { [ -e "$GENAPP_RUN_DIR/app4238-hc-ng" ]; }
flag_is_gone() { ! flag_is_up; }
daemon_pid() { cut -d ' ' -f 1 "$GENAPP_RUN_DIR/app4238.pid"; }
# Gone, or dead and not yet reaped, for which some containers wait in vain.
process_is_dead() { [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }

clean_up() {
  trap '' INT TERM
  if [ -n "$haproxy_pid" ]; then kill -KILL "$haproxy_pid" 2>/dev/null || :; fi
  if [ -n "$folder" ]; then
    if [ -e "$folder/run/app4238.pid" ]; then
      remove -t lb -i app4238 >/dev/null 2>&1 || :
    fi
    rm -rf "$folder"
  fi
}

# ---- the demo

prepare() {
  step "Packages and a build"
  tools/packages.sh build demo
  local options=(-DGENAPP_TESTS=OFF)
  if command -v ccache >/dev/null; then options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  folder=$(mktemp -d "${TMPDIR:-/tmp}/genapp-demo-XXXXXX")
  say "building in build/demo ..."
  { cmake --preset release -B build/demo "${options[@]}" &&
      cmake --build build/demo --parallel "$(nproc)"; } >"$folder/build.log" 2>&1 ||
    fail "the build failed: $(tail -n 30 "$folder/build.log")"
  PATH=$PWD/build/demo/bin:/usr/sbin:/sbin:$PATH
  mkdir "$folder/run" "$folder/etc"
  export GENAPP_RUN_DIR=$folder/run GENAPP_CONFIG_DIR=$folder/etc
  unset HC_TIMEOUT
  printf 'log_file = "%s"\n' "$folder/lbhcd.log" >"$folder/etc/genapp.toml"
  probe_port=$(free_port 0)
  control_port=$(free_port 1)
  user_port=$(free_port 2)
  service_port=$(free_port 3)
  say "run directory $GENAPP_RUN_DIR, configuration $GENAPP_CONFIG_DIR"
}

show_creation() {
  step "A resource: probe port $probe_port, reply \"PORT OK\", flag after 3 s without a probe"
  shows 0 genapp create -t lb -i app4238 --info "$probe_port PORT OK" --set hc_timeout=3
  shows 0 genapp list
  saying app4238
}

show_standby() {
  step "HAProxy begins to probe; nothing is in service, so it sends nobody here"
  haproxy_config >"$folder/haproxy.cfg"
  start_haproxy
  grep -E '^ *(option|tcp-check|server) ' "$folder/haproxy.cfg" | sed 's/^/   /'
  haproxy_shows DOWN
  shows 22 curl -sSf --noproxy 127.0.0.1 "http://127.0.0.1:$user_port/"
  saying 503
}

show_restore() {
  step "restore opens the port, waits for the first probe, and reports success only then"
  shows 0 restore -t lb -i app4238
  saying "successful restore"
  shows 0 genapp status
  saying ISP
  haproxy_shows UP
  shows 0 curl -sSf --noproxy 127.0.0.1 "http://127.0.0.1:$user_port/"
  saying "hello from node1"
  shows 0 quickCheck -t lb -i app4238
}

show_silence() {
  step "The load balancer is stopped: no probe for 3 s raises the flag, and quickCheck fails"
  stop_haproxy
  wait_for 20 "the flag" flag_is_up
  shows 0 cat "$GENAPP_RUN_DIR/app4238-hc-ng"
  saying "stopped after"
  shows 1 quickCheck -t lb -i app4238
  shows 0 genapp status

  step "The load balancer is back: its first probe takes the flag away"
  start_haproxy
  wait_for 20 "the flag's end" flag_is_gone
  say "the flag is gone"
  haproxy_shows UP
  shows 0 quickCheck -t lb -i app4238
}

show_recovery() {
  local pid
  step "The daemon is killed: quickCheck notices, recover brings it back"
  pid=$(daemon_pid)
  shows 0 kill -KILL "$pid"
  wait_for 20 "the end of process $pid" process_is_dead "$pid"
  shows 1 quickCheck -t lb -i app4238
  shows 0 recover -t lb -i app4238
  shows 0 quickCheck -t lb -i app4238
  [ "$(daemon_pid)" != "$pid" ] || fail "the pid file still names the killed process"
  haproxy_shows UP
}

show_removal() {
  step "remove stops the daemon and takes its files away; HAProxy sends nobody here any more"
  shows 0 remove -t lb -i app4238
  haproxy_shows DOWN
  shows 0 ls -A "$GENAPP_RUN_DIR"
  [ -z "$output" ] || fail "remove left files in the run directory"
  shows 0 genapp status
  saying OSU

  step "And the resource is deleted"
  shows 0 genapp delete -t lb
  stop_haproxy
}

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
prepare
show_creation
show_standby
show_restore
show_silence
show_recovery
show_removal
printf '\n%sEverything was as said.%s\n' "$green" "$plain"
