# shellcheck shell=sh
# What restore, remove, quickCheck and recover of templates/generic have in common; they read this
# file with their own arguments, -t TAG -i ID. docs/templates.md

# Whatever else a cluster passes is ignored.
while [ $# -gt 1 ]; do
  case $1 in
    -t) GENAPP_TAG=$2 && shift ;;
    -i) GENAPP_ID=$2 && shift ;;
  esac
  shift
done
# Both become part of a path.
for word in "${GENAPP_TAG:=}" "${GENAPP_ID:=}"; do
  case $word in
    '' | [!A-Za-z0-9_]* | *[!A-Za-z0-9_.:@-]*)
      echo "usage: $0 -t TAG -i ID" >&2
      exit 1
      ;;
  esac
done
export GENAPP_TAG GENAPP_ID GENAPP_INFO="${GENAPP_INFO:-}"

NAME=$GENAPP_TAG
for file in "$GENAPP_APPS/lib/process.sh" "$GENAPP_APPS/$GENAPP_TAG/settings.sh"; do
  if ! [ -r "$file" ]; then
    echo "$NAME: can't read $file" >&2
    exit 1
  fi
done
# shellcheck source=templates/generic/settings.sh
. "$GENAPP_APPS/$GENAPP_TAG/settings.sh"
# What the settings leave out.
RECORD=${APP_RECORD:-/run/genapp-$GENAPP_ID.started}
LOG_FILE=${APP_LOG_FILE:-/var/log/genapp-$GENAPP_ID.log}
START_TIMEOUT=${APP_START_TIMEOUT:-60}
STOP_TIMEOUT=${APP_STOP_TIMEOUT:-60}
STOP_SIGNAL=${APP_STOP_SIGNAL:-TERM}
: "${APP_COMMAND:=}" "${APP_CHECK:=}" "${APP_CHECK_TIMEOUT:=10}" "${APP_SETTLE:=1}"
# shellcheck source=templates/lib/process.sh
. "$GENAPP_APPS/lib/process.sh"

# A check that hangs fails.
passes_check() { timeout -k 1 "$APP_CHECK_TIMEOUT" sh -c "$APP_CHECK" </dev/null; }

ready() {
  if [ -n "$APP_CHECK" ]; then
    passes_check >/dev/null 2>&1
  else
    sleep "$APP_SETTLE"
    lives
  fi
}

start_application() {
  [ -n "$APP_COMMAND" ] ||
    fail "APP_COMMAND is not set: set it in $GENAPP_APPS/$GENAPP_TAG/settings.sh"
  start_process sh -c "$APP_COMMAND"
}

stop_application() { end_process || exit 1; }

check_application() {
  lives || fail "it does not run"
  case $state in [Tt]) fail "process $pid is stopped by a signal" ;; esac
  [ -z "$APP_CHECK" ] || passes_check >&2 || fail "the check fails or hangs: $APP_CHECK"
}
