#!/bin/sh
# Fills environment variables into templates.
set -e

templates="${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}"
[ -d "$templates" ] || exit 0
for template in "$templates"/*.template; do
    [ -f "$template" ] || continue
    name=$(basename "$template" .template)
    echo "20-envsubst-on-templates.sh: Running envsubst on $template to /etc/nginx/conf.d/$name"
    envsubst < "$template" > "/etc/nginx/conf.d/$name"
done
