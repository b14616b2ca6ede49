#!/bin/sh
# Starts a web server, nginx unless changed, and returns when it serves. Does nothing when it runs.
# For ExpressCluster's EXEC resource, and for genapp. docs/templates.md
set -u

# What to change, here and in stop.sh. The environment may set each as well.
HTTP_PROGRAM=${HTTP_PROGRAM:-/usr/sbin/nginx}
HTTP_CONFIG=${HTTP_CONFIG:-/etc/nginx/nginx.conf}
# Written by the server once it listens: the directive "pid" in HTTP_CONFIG.
HTTP_PID_FILE=${HTTP_PID_FILE:-/run/nginx.pid}
# Which process was started, written by this script.
HTTP_RECORD=${HTTP_RECORD:-/run/genapp-http.started}
HTTP_LOG_FILE=${HTTP_LOG_FILE:-/var/log/genapp-http.log}
# Seconds.
HTTP_START_TIMEOUT=${HTTP_START_TIMEOUT:-60}
HTTP_STOP_TIMEOUT=${HTTP_STOP_TIMEOUT:-60}
# Holds lib/process.sh.
GENAPP_APPS=${GENAPP_APPS:-/etc/genapp/apps}

# Another server: change these two. The command must keep it in the foreground.
check_config() { "$HTTP_PROGRAM" -t -q -c "$HTTP_CONFIG"; }
start_server() { start_process "$HTTP_PROGRAM" -c "$HTTP_CONFIG" -g "daemon off;"; }
# nginx must not go to the background by itself, so HTTP_CONFIG may hold no line "daemon".

NAME=${GENAPP_TAG:-http}
RECORD=$HTTP_RECORD
LOG_FILE=$HTTP_LOG_FILE
START_TIMEOUT=$HTTP_START_TIMEOUT
STOP_TIMEOUT=$HTTP_STOP_TIMEOUT
STOP_SIGNAL=TERM
[ -r "$GENAPP_APPS/lib/process.sh" ] || { echo "$NAME: no $GENAPP_APPS/lib/process.sh" >&2; exit 1; }
# shellcheck source=templates/lib/process.sh
. "$GENAPP_APPS/lib/process.sh"

ready() { is_named_in "$HTTP_PID_FILE"; }

# Not in a cluster: as START.
case ${CLP_EVENT:-START} in
  START) ;;     # the group starts or moves here; what only then is to be done, here
  FAILOVER) ;;  # it failed on the other server; what only then is to be done, here
  RECOVER)      # this server is back in the cluster; the group runs elsewhere
    exit 0
    ;;
  *) fail "CLP_EVENT=$CLP_EVENT is not known" ;;
esac
if [ "${CLP_DISK:-SUCCESS}" = FAILURE ]; then
  fail "not started: the group's disks have failed (CLP_DISK=FAILURE)"
fi

check_config || fail "$HTTP_CONFIG is in error, see above"
start_server
say "running, process $pid (CLP_EVENT=${CLP_EVENT:-} CLP_SERVER=${CLP_SERVER:-} CLP_FACTOR=${CLP_FACTOR:-})"
