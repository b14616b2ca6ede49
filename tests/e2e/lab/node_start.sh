#!/bin/sh
# node_start.sh: makes the node on which it runs a member of the lab's cluster.
set -e
# Without real-time priority it must at least not starve.
nice -n -10 corosync
tries=0
until corosync-cfgtool -s >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 600 ]
  sleep 0.05
done
PCMK_logfacility=none setsid pacemakerd >>/var/log/pacemakerd.out 2>&1 </dev/null &
