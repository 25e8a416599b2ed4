#!/bin/sh
# Fits the number of workers to the processors, where that is asked for.
set -e

[ -n "$NGINX_ENTRYPOINT_WORKER_PROCESSES_AUTOTUNE" ] || exit 0
sed -i -E "s/^worker_processes .*/worker_processes  $(nproc);/" /etc/nginx/nginx.conf
