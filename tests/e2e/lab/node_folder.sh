#!/bin/sh
# node_folder.sh FOLDER: what a node of the lab has instead of the machine's. corosync.conf and cib.xml
# are there already.
set -e
cd "$1"
mkdir -p etc/corosync/uidgid.d etc/pacemaker var/lib/corosync var/log/pacemaker
cd var/lib/pacemaker
mkdir -p pengine cores blackbox
chmod 600 cib/cib.xml
chmod 750 cib pengine cores blackbox
chown -R hacluster:haclient . ../../log/pacemaker
