#!/bin/sh
# node_init.sh NAME FOLDER: the first process of a node of the lab, in namespaces of its own. Its mounts
# come from FOLDER, made by node_folder.sh; then it only reaps.
set -e
name=$1 folder=$2
mount --make-rprivate /
hostname "$name"
mount -t tmpfs none /run
mount -t tmpfs none /dev/shm
# A node that panics writes to sysrq; it must not reach the machine's.
for file in /proc/sysrq-trigger /proc/sys/kernel/sysrq; do
  [ ! -e "$file" ] || mount --bind /dev/null "$file"
done
# Nothing may be added to the machine's folders, so the fence agent stands in for one of Pacemaker's.
mount --bind "$folder/fence_lab.sh" /usr/sbin/fence_legacy
for path in etc/corosync etc/pacemaker var/lib/pacemaker var/lib/corosync var/log \
  usr/lib/ocf/resource.d; do
  mount --bind "$folder/$path" "/$path"
done
mkdir -p /run/resource-agents /run/lock
mkdir -m 750 /run/crm
chown hacluster:haclient /run/crm
ip link set lo up
echo ready
sleep infinity &
wait
