#!/usr/bin/env bash
# In bash a program in the background ignores Ctrl-C, but a program in parentheses in the background does not.
#
# A shell without job control makes programs that it starts in the background ignore SIGINT, so that Ctrl-C ends the script
# but not, for instance, a server beside it. POSIX requires this, and each of these shells does it for `program &`. In bash, a
# command that a background subshell runs gets the signals that the script was started with: with parentheses around the
# command, for a `cd` or a variable, Ctrl-C ends it. The subshell itself continues with the next command. dash, ksh93, mksh
# and zsh keep SIGINT ignored. `trap - INT` within the parentheses restores it in mksh and zsh too. It does nothing in dash
# and ksh93, since POSIX does not let a script reset a signal that was ignored when its shell was entered. So the same script
# leaves its program running where /bin/sh is dash.
#
# Seen with bash 5.2.15, dash 0.5.12, ksh93u+m 1.0.4, mksh 59c and zsh 5.9, of Debian 12. Needs Debian's package lists if a
# shell is missing, and no root. Exits with 1 when this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# Missing shells are unpacked here and not installed.
declare -A package=([bash]=bash [dash]=dash [ksh93]=ksh93u+m [mksh]=mksh [zsh]=zsh)
for shell in "${!package[@]}"; do
    command -v "$shell" >/dev/null && continue
    apt-get download -qq "${package[$shell]}" >/dev/null 2>&1 || { echo "cannot get $shell: run apt-get update" >&2; exit 1; }
    dpkg -x ./*.deb unpacked
    rm ./*.deb
done
export PATH=$PATH:$folder/unpacked/bin:$folder/unpacked/usr/bin

# Each script reads the bit of SIGINT in the signals that the program in the background ignores.
for line in '/bin/sleep 60 &' '(exec /bin/sleep 60) &' '(trap - INT; exec /bin/sleep 60) &'; do
    echo "$line" >script
    cat >>script <<'SH'
program=$!
while [ "$(cat /proc/$program/comm)" != sleep ]; do :; done
ignored=$(sed -n 's/^SigIgn:[[:space:]]*//p' /proc/$program/status)
kill -9 $program
if [ $((0x$ignored & 2)) = 0 ]; then echo ended; else echo ignores; fi
SH
    echo "$line"
    for shell in bash dash ksh93 mksh zsh; do
        echo "  $shell $(timeout 10 env --default-signal=INT "$shell" script 2>/dev/null)"
    done
done >seen
cat seen
expected='/bin/sleep 60 &
  bash ignores
  dash ignores
  ksh93 ignores
  mksh ignores
  zsh ignores
(exec /bin/sleep 60) &
  bash ended
  dash ignores
  ksh93 ignores
  mksh ignores
  zsh ignores
(trap - INT; exec /bin/sleep 60) &
  bash ended
  dash ignores
  ksh93 ignores
  mksh ended
  zsh ended'
if [ "$(cat seen)" != "$expected" ]; then
    echo "this has changed"
    exit 1
fi
echo "as described"
