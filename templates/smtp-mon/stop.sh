#!/bin/sh
# Stops the monitor that start.sh started, and returns when it is gone. Does nothing when none runs,
# and touches no other process. For ExpressCluster's EXEC resource, and for genapp.
# docs/templates.md
set -u

# As in start.sh.
MONITOR_RECORD=${MONITOR_RECORD:-/run/genapp-smtp-mon.started}
# Seconds until it is killed.
MONITOR_STOP_TIMEOUT=${MONITOR_STOP_TIMEOUT:-30}
# Holds lib/process.sh.
GENAPP_APPS=${GENAPP_APPS:-/etc/genapp/apps}

NAME=${GENAPP_TAG:-smtp-mon}
RECORD=$MONITOR_RECORD
STOP_TIMEOUT=$MONITOR_STOP_TIMEOUT
STOP_SIGNAL=TERM
[ -r "$GENAPP_APPS/lib/process.sh" ] || { echo "$NAME: no $GENAPP_APPS/lib/process.sh" >&2; exit 1; }
# shellcheck source=templates/lib/process.sh
. "$GENAPP_APPS/lib/process.sh"

# Whatever CLP_EVENT, CLP_DISK and CLP_FACTOR say.
end_process || exit 1
say "not running (CLP_EVENT=${CLP_EVENT:-} CLP_SERVER=${CLP_SERVER:-} CLP_FACTOR=${CLP_FACTOR:-})"
