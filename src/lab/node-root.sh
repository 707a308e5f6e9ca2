#!/bin/sh
# Gives one lab node a file system of its own, as a container has, and becomes the node's first process.
#
#   node-root.sh ROOT HOSTNAME [--release FOLDER] [--bind SOURCE TARGET ro|rw]... -- COMMAND [ARG]...
#
# Runs as the first process of new mount, PID, UTS and IPC namespaces, inside the node's network namespace. Every
# top-level folder of the machine is seen through an overlay whose upper layer is memory, so nothing that a node writes
# reaches the machine; where daemons keep configuration, sockets and logs the node starts with empty folders. ROOT is an
# empty folder to mount on; all mounts vanish with the node's last process. FOLDER holds another Debian release, whose /usr
# the node gets instead of the machine's.
#
# Standard output is a pipe to whoever started the node: "pid N" (in the machine's PID namespace), then "ready" when
# only COMMAND is left to run. Everything else goes to standard error.
set -eu

root=$1
name=$2
shift 2
release=
if [ "$1" = --release ]; then
    release=$2
    shift 2
fi

# /proc is still the machine's, so this is the process id as the machine knows it.
read -r pid rest </proc/self/stat
echo "pid $pid"

mount -t tmpfs -o mode=0755 lab-root "$root"
mkdir "$root/.layers"
mount -t tmpfs -o mode=0700 lab-layers "$root/.layers"
for entry in /*; do
    base=${entry#/}
    if [ -L "$entry" ]; then
        cp -P "$entry" "$root/$base"
        continue
    fi
    [ -d "$entry" ] || continue
    mkdir "$root/$base"
    case $base in
    boot | lost+found | media | mnt | proc | run | sys) ;;
    dev) mount --rbind /dev "$root/dev" ;;
    *)
        lower=$entry
        [ "$base" != usr ] || lower=$release/usr
        chmod --reference="$entry" "$root/$base"
        mkdir -p "$root/.layers/$base/upper" "$root/.layers/$base/work"
        chmod --reference="$entry" "$root/.layers/$base/upper"
        # A file system that an overlay cannot lie on is shown as it is, for reading.
        mount -t overlay -o \
            "lowerdir=$lower,upperdir=$root/.layers/$base/upper,workdir=$root/.layers/$base/work" \
            lab-overlay "$root/$base" ||
            { mount --bind "$lower" "$root/$base" && mount -o remount,bind,ro "$root/$base"; }
        ;;
    esac
done
# The overlays hold on to their layers; nobody else needs the path.
umount -l "$root/.layers"
rmdir "$root/.layers"

# The linker's cache belongs to the libraries below /usr.
[ -z "$release" ] || cp "$release/etc/ld.so.cache" "$root/etc/ld.so.cache"

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=0755 lab-run "$root/run"
for folder in etc/frr etc/bird etc/gobgp var/log; do
    mkdir -p "$root/$folder"
    mount -t tmpfs -o mode=0755 lab-empty "$root/$folder"
done

while [ "$1" = --bind ]; do
    source=$2 target=$root$3 mode=$4
    shift 4
    if [ -d "$source" ]; then
        mkdir -p "$target"
    else
        mkdir -p "${target%/*}"
        [ -e "$target" ] || : >"$target"
    fi
    mount --bind "$source" "$target"
    # A bind mount takes its flags only when it is mounted again.
    [ "$mode" = rw ] || mount -o remount,bind,ro "$target"
done
[ "$1" = -- ]
shift

hostname "$name"
mkdir "$root/.machine"
cd "$root"
pivot_root . .machine
cd /
umount -l /.machine
rmdir /.machine

echo ready
exec "$@" >&2
