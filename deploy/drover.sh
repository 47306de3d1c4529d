#!/bin/sh
# The CLI inside of the images, where everything is built and there.
exec node --enable-source-maps /opt/drover/dist/apps/cli/main.js "$@"
