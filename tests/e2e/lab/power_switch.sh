#!/bin/sh
# power_switch.sh FOLDER: kills a node, whose first process's number is in FOLDER/NAME.pid, when
# fence_lab.sh asks for it by FOLDER/fence-NAME.
cd "$1" || exit 1
while sleep 0.05; do
  for node in n1 n2; do
    if [ -e "fence-$node" ]; then
      kill -KILL "$(cat "$node.pid")"
      rm "fence-$node"
    fi
  done
done
