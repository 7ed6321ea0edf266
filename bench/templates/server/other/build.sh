#!/bin/sh
# Builds the server into the folder that server.toml names. What is printed here is shown when it fails.
set -eu
mkdir -p "$1"
exec cc -std=c11 -O2 -Wall -Wextra -pthread -o "$1/server-NAME" server.c http.c
