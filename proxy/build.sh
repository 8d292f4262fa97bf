#!/usr/bin/env bash
# Builds consentproxy for every system, with checksums, into a new folder: "dist" if none is
# named. The same source and the same Go give the same bytes.
#
#     bash proxy/build.sh [FOLDER]
set -euo pipefail

folder=$(realpath -m "${1:-dist}")
if [[ -e $folder ]]; then
  echo "build.sh: $folder is there already" >&2
  exit 1
fi
cd "$(dirname "$0")"
mkdir -p "$folder"
systems=${SYSTEMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64}
for system in $systems; do
  name=consentproxy-${system//\//-}
  [[ $system == windows/* ]] && name+=.exe
  GOOS=${system%/*} GOARCH=${system#*/} CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -buildid=" -o "$folder/$name" .
done
# For an image that has nothing else: whom to believe about certificates of a site or a database.
if [[ -r /etc/ssl/certs/ca-certificates.crt ]]; then
  cp /etc/ssl/certs/ca-certificates.crt "$folder"
fi
cd "$folder"
sha256sum consentproxy-* > SHA256SUMS
cat SHA256SUMS
