#!/usr/bin/env bash
# Build the container image with buildah, no daemon needed; further arguments go to `buildah build`.
#
# Where no image registry can be reached, a minimal Debian with its own Python stands in for the
# base image (needs root and debootstrap). That proves the recipe, not the official base.
set -euo pipefail
cd "$(dirname "$0")/.."

image="${IMAGE:-laptop-agents:latest}"
base="$(sed -n 's/^FROM \([^ ]*\) AS build$/\1/p' Dockerfile)"

skip() {
  echo "SKIPPED: image not built: $1" >&2
  exit 0
}

stand_in() {
  command -v debootstrap >/dev/null || skip "no registry answers and debootstrap is absent"
  [ "$(id -u)" = 0 ] || skip "no registry answers, and debootstrap needs root"
  echo "No registry answers for $base: a minimal Debian stands in." >&2
  local tree
  tree="$(mktemp -d)"
  trap 'rm -rf "$tree"' EXIT
  debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates \
    bookworm "$tree/root" >"$tree/log" 2>&1 || { tail -5 "$tree/log" >&2; exit 1; }
  tar -C "$tree/root" -cf "$tree/base.tar" .
  printf 'FROM scratch\nADD base.tar /\n' >"$tree/Dockerfile"
  buildah build --quiet --isolation chroot --format docker --tag "docker.io/library/$base" \
    --file "$tree/Dockerfile" "$tree" >/dev/null
}

command -v buildah >/dev/null || skip "buildah is absent (apt-get install buildah)"
if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
  timeout 120 buildah pull --quiet "docker.io/library/$base" >/dev/null 2>&1 || stand_in
fi
buildah build --isolation chroot --pull-never --format docker --tag "$image" "$@" .
echo "Built $image. Try: buildah from --name la $image; buildah run --isolation chroot la -- laptop-agents doctor" >&2
