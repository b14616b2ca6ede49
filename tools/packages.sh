#!/bin/sh
# tools/packages.sh SET...: installs the Debian 12 packages of the sets that are not there yet.
#   build  to build genapp            demo  what demo.sh needs besides
#   test   to run the tests           ci    what .ci/run needs besides
#   bench  to run the benchmarks      package  to make the Debian packages
# As root, or with sudo. Does nothing, and needs neither, when everything is installed.
set -eu

fail() {
  echo "tools/packages.sh: $*" >&2
  exit 1
}

packages_of() {
  case $1 in
    build)
      echo g++ cmake ninja-build libboost1.81-dev libboost-program-options1.81-dev \
        libboost-json1.81-dev libspdlog-dev libfmt-dev libssl-dev libtomlplusplus-dev
      ;;
    demo) echo haproxy curl ;;
    test)
      echo libgtest-dev libgmock-dev haproxy nginx curl netcat-openbsd openssl iproute2 \
        util-linux procps mandoc spin gcc strace clang-14 libclang-rt-14-dev \
        exim4-daemon-light lighttpd lighttpd-mod-gnutls dpkg-dev file mmdebstrap lintian systemd \
        resource-agents pacemaker-cli-utils libxml2-utils keepalived pacemaker corosync \
        chromium-headless-shell fonts-dejavu-core nodejs node-ws node-ajv
      ;;
    bench)
      echo gcc haproxy nginx netcat-openbsd socat perl resource-agents pacemaker corosync \
        pacemaker-cli-utils iproute2 util-linux libgtest-dev libgmock-dev curl \
        monitoring-plugins-basic openssh-server openssh-client openssl
      ;;
    package) echo dpkg-dev file ;;
    ci) echo git clang-format-14 shellcheck ;;
    *) fail "the sets are build, package, demo, test, bench and ci, not \"$1\"" ;;
  esac
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

# The packages of these servers start them at once and at every boot. They are wanted here as
# programs only, so what this script installed it also stops.
stop_service() {
  [ -d /run/systemd/system ] || return 0
  as_root systemctl disable --now "$1" >/dev/null 2>&1 ||
    echo "tools/packages.sh: could not stop the service $1, which came with its package" >&2
}

command -v dpkg-query >/dev/null || fail "only Debian's packages are known here: no dpkg-query found"

missing=
for set in "$@"; do
  packages=$(packages_of "$set")
  for package in $packages; do
    is_installed "$package" || missing="$missing $package"
  done
done
[ -n "$missing" ] || exit 0

echo "installing:$missing"
[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
  fail "run this as root, or install sudo; to do it by hand: apt-get install$missing"
as_root apt-get update -q || fail "apt-get update failed: is there a network?"
# --no-remove: rather fail than take away somebody's other version of Boost.
# shellcheck disable=SC2086  # a list of packages
as_root apt-get install -q -y --no-install-recommends --no-remove $missing ||
  fail "installing failed:$missing"

for package in haproxy nginx exim4-daemon-light lighttpd keepalived pacemaker corosync; do
  case "$missing " in
    *" $package "*) stop_service "${package%-daemon-light}" ;;
  esac
done
