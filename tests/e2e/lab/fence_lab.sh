#!/bin/sh
# A fence agent as Pacemaker calls it: NAME=VALUE lines on standard input. It asks power_switch.sh by a
# file, and waits until that is gone.
action=reboot folder='' nodename=''
while read -r line; do
  case $line in
    action=*) action=${line#*=} ;;
    folder=*) folder=${line#*=} ;;
    nodename=*) nodename=${line#*=} ;;
  esac
done
case $action in
  metadata)
    echo '<resource-agent name="fence_lab"><parameters>'
    for name in action folder; do
      printf '<parameter name="%s"><content type="string"/><shortdesc lang="en">%s</shortdesc></parameter>\n' \
        "$name" "$name"
    done
    echo '</parameters><actions>'
    for name in on off reboot monitor metadata status; do
      printf '<action name="%s"/>\n' "$name"
    done
    echo '</actions></resource-agent>'
    ;;
  off | reboot)
    : >"$folder/fence-$nodename"
    tries=0
    while [ -e "$folder/fence-$nodename" ]; do
      tries=$((tries + 1))
      [ "$tries" -lt 200 ] || exit 1
      sleep 0.05
    done
    ;;
esac
