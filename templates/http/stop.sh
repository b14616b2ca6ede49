#!/bin/sh
# Stops the web server that start.sh started, and returns when it is gone. Does nothing when none runs,
# and touches no other. For ExpressCluster's EXEC resource, and for genapp. docs/templates.md
set -u

# As in start.sh.
HTTP_PID_FILE=${HTTP_PID_FILE:-/run/nginx.pid}
HTTP_RECORD=${HTTP_RECORD:-/run/genapp-http.started}
# Seconds until it is killed.
HTTP_STOP_TIMEOUT=${HTTP_STOP_TIMEOUT:-60}
# Holds lib/process.sh.
GENAPP_APPS=${GENAPP_APPS:-/etc/genapp/apps}

NAME=${GENAPP_TAG:-http}
RECORD=$HTTP_RECORD
STOP_TIMEOUT=$HTTP_STOP_TIMEOUT
STOP_SIGNAL=TERM
[ -r "$GENAPP_APPS/lib/process.sh" ] || { echo "$NAME: no $GENAPP_APPS/lib/process.sh" >&2; exit 1; }
# shellcheck source=templates/lib/process.sh
. "$GENAPP_APPS/lib/process.sh"

# A server is stopped whatever CLP_EVENT, CLP_DISK and CLP_FACTOR say: it must not serve here.
end_process || exit 1
remove_pid_file "$HTTP_PID_FILE"
say "not running (CLP_EVENT=${CLP_EVENT:-} CLP_SERVER=${CLP_SERVER:-} CLP_FACTOR=${CLP_FACTOR:-})"
