#!/bin/sh
# Makes of what the engine shows a container what a host needs, then runs leaf and agent: host.sh HOST
set -eu

# Control groups are the engine's and read-only; machines get theirs below this container's own.
while read -r _ path kind _; do
  case $kind in cgroup | cgroup2) mount -o remount,bind,rw "$path" ;; esac
done </proc/self/mounts

# In version 2 a group with groups below it holds no processes itself.
groups=/sys/fs/cgroup
if [ -e $groups/cgroup.controllers ]; then
  mkdir -p $groups/host
  while read -r pid; do echo "$pid" >$groups/host/cgroup.procs || :; done <$groups/cgroup.procs
  for controller in $(cat $groups/cgroup.controllers); do echo "+$controller" >$groups/cgroup.subtree_control || :; done
fi

# Volumes live in a file that is mounted by a loop device.
for number in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
  [ -e /dev/loop$number ] || mknod -m 600 /dev/loop$number b 7 $number
done

exec drover compose host "$1" --data /drover
