#!/bin/sh
set -e

say() {
    if [ -z "$NGINX_ENTRYPOINT_QUIET_LOGS" ]; then
        echo "$0: $*"
    fi
}

if [ "$1" = "nginx" ] || [ "$1" = "nginx-debug" ]; then
    dir=/docker-entrypoint.d
    if [ -n "$(ls $dir 2>/dev/null)" ]; then
        say "$dir/ is not empty, will attempt to perform configuration"
        say "Looking for shell scripts in $dir/"
        for script in $dir/*; do
            case "$script" in
                *.sh)
                    if [ -x "$script" ]; then
                        say "Launching $script"
                        "$script"
                    else
                        say "Ignoring $script, not executable"
                    fi
                    ;;
                *) say "Ignoring $script" ;;
            esac
        done
        say "Configuration complete; ready for start up"
    else
        say "No files found in $dir/, skipping configuration"
    fi
fi

exec "$@"
