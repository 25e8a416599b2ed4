#!/bin/sh
# Lets the default server answer on IPv6 too, unless somebody changed its configuration.
set -e

me=$(basename "$0")
conf=etc/nginx/conf.d/default.conf

if [ ! -f "/$conf" ]; then
    echo "$me: info: /$conf is not a file or does not exist"
    exit 0
fi
if ! touch "/$conf" 2>/dev/null; then
    echo "$me: info: can not modify /$conf (read-only file system?)"
    exit 0
fi
if grep -q "listen  \[::]:80;" "/$conf"; then
    echo "$me: info: IPv6 listen already enabled"
    exit 0
fi
echo "$me: info: Getting the checksum of /$conf"
sed -i -E 's,listen       80;,listen       80;\n    listen  [::]:80;,' "/$conf"
echo "$me: info: Enabled listen on IPv6 in /$conf"
