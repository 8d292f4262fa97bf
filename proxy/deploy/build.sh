#!/usr/bin/env bash
# Builds consentproxy for every system, with checksums, into a new folder: "dist" if none is
# named. An image is made of that folder: see Dockerfile.
#
#     bash proxy/deploy/build.sh [FOLDER]
#
# SYSTEMS="linux/amd64" builds for that one alone.
set -euo pipefail

folder=$(realpath -m "${1:-dist}")
bash "$(dirname "$0")/../../dev/release/build.sh" "$folder" consentproxy
# For an image that has nothing else: whom to believe about certificates of a site or a database.
if [[ -r /etc/ssl/certs/ca-certificates.crt ]]; then
  cp /etc/ssl/certs/ca-certificates.crt "$folder"
else
  echo "build.sh: there is no /etc/ssl/certs/ca-certificates.crt here; an image needs one in $folder" >&2
fi
