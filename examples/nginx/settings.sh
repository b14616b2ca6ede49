# shellcheck shell=sh
# shellcheck disable=SC2034  # used by the scripts that read this
APP_COMMAND='exec nginx -c /etc/genapp/apps/web/nginx.conf'
# shellcheck disable=SC2016  # for later
APP_CHECK='curl --silent --show-error --fail --max-time 5 --output /dev/null "$GENAPP_INFO"'
