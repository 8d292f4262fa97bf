#!/usr/bin/env bash
# Builds consentproxy for every system, with checksums, into a new folder: "dist" if none is
# named. An image is made of that folder: see deploy/Dockerfile.
#
#     bash proxy/build.sh [FOLDER]
set -euo pipefail

folder=$(realpath -m "${1:-dist}")
bash "$(dirname "$0")/../dev/release/build.sh" "$folder" consentproxy
# For an image that has nothing else: whom to believe about certificates of a site or a database.
if [[ -r /etc/ssl/certs/ca-certificates.crt ]]; then
  cp /etc/ssl/certs/ca-certificates.crt "$folder"
fi
