# shellcheck shell=sh
# shellcheck disable=SC2034  # used by the scripts that read this
# What to change: restore, remove, quickCheck and recover read this file. What is not set here may
# be set by the environment. docs/templates.md

# The command line of the application, which must stay in the foreground; most daemons have an
# option for that. It may use $GENAPP_INFO, $GENAPP_TAG and $GENAPP_ID.
APP_COMMAND=${APP_COMMAND:-}

# A command line that succeeds when the application can be used. Empty: when it runs.
APP_CHECK=${APP_CHECK:-}

# The others, with their defaults. Times are seconds.
#APP_STOP_SIGNAL=TERM
#APP_START_TIMEOUT=60
#APP_STOP_TIMEOUT=60     # then KILL
#APP_CHECK_TIMEOUT=10    # for one check; a cluster waits about 20 for quickCheck
#APP_SETTLE=1            # without APP_CHECK: it must live for so long to count as started
#APP_RECORD=/run/genapp-$GENAPP_ID.started    # which process was started, written by the scripts
#APP_LOG_FILE=/var/log/genapp-$GENAPP_ID.log  # what it prints
