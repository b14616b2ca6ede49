#!/bin/sh
# Starts a monitor beside the web server, in the background. Does nothing when it runs.
# For ExpressCluster's EXEC resource, and for genapp. docs/templates.md
set -u

# What to change, here and in stop.sh. The environment may set each as well.
# The command line of a monitor that stays in the foreground. httpmon(8): give it an id of its own, and
# what it is to watch.
MONITOR_COMMAND=${MONITOR_COMMAND:-exec httpmon httpwatch}
# Which process was started, written by this script.
MONITOR_RECORD=${MONITOR_RECORD:-/run/genapp-http-mon.started}
MONITOR_LOG_FILE=${MONITOR_LOG_FILE:-/var/log/genapp-http-mon.log}
# Seconds. It counts as started when it has not ended by itself for so long.
MONITOR_SETTLE=${MONITOR_SETTLE:-1}
MONITOR_STOP_TIMEOUT=${MONITOR_STOP_TIMEOUT:-30}
# Holds lib/process.sh.
GENAPP_APPS=${GENAPP_APPS:-/etc/genapp/apps}

NAME=${GENAPP_TAG:-http-mon}
RECORD=$MONITOR_RECORD
LOG_FILE=$MONITOR_LOG_FILE
START_TIMEOUT=$MONITOR_SETTLE
STOP_TIMEOUT=$MONITOR_STOP_TIMEOUT
STOP_SIGNAL=TERM
[ -r "$GENAPP_APPS/lib/process.sh" ] || { echo "$NAME: no $GENAPP_APPS/lib/process.sh" >&2; exit 1; }
# shellcheck source=templates/lib/process.sh
. "$GENAPP_APPS/lib/process.sh"

ready() {
  sleep "$MONITOR_SETTLE"
  lives
}

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
[ -n "$MONITOR_COMMAND" ] ||
  fail "MONITOR_COMMAND is not set: set it to the monitor's command line at the top of $0"

start_process sh -c "$MONITOR_COMMAND"
say "running, process $pid (CLP_EVENT=${CLP_EVENT:-} CLP_SERVER=${CLP_SERVER:-} CLP_FACTOR=${CLP_FACTOR:-})"
