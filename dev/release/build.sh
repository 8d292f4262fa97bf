#!/usr/bin/env bash
# Builds the commands that a release gives to others, for every system, with checksums, into a
# new folder: "dist" if none is named. The same commit and the same Go give the same bytes,
# wherever the clone lies: in one that is tagged, each command knows its version.
#
#     bash dev/release/build.sh [FOLDER [COMMAND...]]
set -euo pipefail

folder=$(realpath -m "${1:-dist}")
shift || true
commands=("$@")
((${#commands[@]})) || commands=(consentproxy consentscan consentvet ledger)
systems=${SYSTEMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64}

# The module of a command, and its package there.
source_of() {
  case $1 in
    consentproxy) echo proxy ./cmd/consentproxy ;;
    consentscan | consentvet) echo "$1" . ;;
    ledger) echo ledger ./cmd/ledger ;;
    *) echo "build.sh: $1 is no command" >&2; return 1 ;;
  esac
}

if [[ -e $folder ]]; then
  echo "build.sh: $folder is there already" >&2
  exit 1
fi
cd "$(dirname "$0")/../.."
root=$PWD
alone=$(mktemp -d)
trap 'rm -rf "$alone"' EXIT
mkdir -p "$folder"
built=()
for command in "${commands[@]}"; do
  from=$(source_of "$command")
  read -r module package <<<"$from"
  cd "$root/$module"
  # The versions that this module asks for, as go install gives them: go.work raises them to
  # what other modules ask for. The folders are relative, since the program tells them.
  cp go.mod go.sum "$alone"
  up=$(realpath --relative-to . "$root")
  for other in "" /ledger /ledger/metrics; do
    go mod edit -replace "github.com/cookiecharter/consent$other=$up$other" "$alone/go.mod"
  done
  for system in $systems; do
    name=$command-${system//\//-}
    [[ $system == windows/* ]] && name+=.exe
    GOWORK=off GOOS=${system%/*} GOARCH=${system#*/} CGO_ENABLED=0 \
      go build -modfile "$alone/go.mod" -trimpath -buildvcs=auto -ldflags "-s -w -buildid=" -o "$folder/$name" "$package"
    built+=("$name")
  done
done
cd "$folder"
sha256sum "${built[@]}" > SHA256SUMS
cat SHA256SUMS
