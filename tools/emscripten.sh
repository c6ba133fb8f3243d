#!/usr/bin/env bash
# Runs a command where Emscripten is: `tools/emscripten.sh em++ -std=c++20 x.cpp -o x.mjs`, `tools/emscripten.sh cmake …`.
#
# Emscripten 3.1.60 or newer is needed (C++20 coroutines, wasm exceptions, relaxed SIMD). When the PATH has one, the
# command simply runs. Else a Debian 13 folder with its emscripten, cmake, ninja and ccache is made once, under
# ${TRUSTFORMERS_TOOLCHAIN:-~/.cache/trustformers/emscripten}, and the command runs inside it, in the same working
# directory, with the checkout, the working directory, $HOME's cache and $TMPDIR at the paths they have outside.
# Making and entering the folder needs root (chroot). The package mirror is the one this machine's apt uses.
#
#   --setup     make the folder if it is needed and stop
#   --source P  unpack the sources of Debian's package P and print where commands run here find them, for CMake's
#               FETCHCONTENT_SOURCE_DIR_<NAME>; prints nothing when the PATH has an emcc (CMake then downloads releases)
set -euo pipefail

readonly oldest="3.1.60"
readonly suite="trixie"
readonly source_suite="bookworm" # a mirror may lack the sources of a newer suite
repository="$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)"
folder="${TRUSTFORMERS_TOOLCHAIN:-$HOME/.cache/trustformers/emscripten}"

stop() {
  echo "emscripten.sh: $*" >&2
  exit 1
}

path_has_new_emcc() {
  command -v emcc >/dev/null || return 1
  local version
  version="$(emcc --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -1)" || return 1
  [ "$(printf '%s\n%s\n' "$oldest" "$version" | sort -V | head -1)" = "$oldest" ]
}

# The mirror of this machine's own distribution: Debian's sources file in the new form, else in the old one.
debian_mirror() {
  local file uri=""
  for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
    [ -r "$file" ] || continue
    uri="$(sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb +(\[[^]]*\] +)?([^ ]*debian\/?) .*/\2/p' "$file" | head -1)"
    [ -n "$uri" ] && break
  done
  [ -n "$uri" ] || stop "this machine's apt names no Debian mirror: put an emcc $oldest or newer on the PATH"
  echo "$uri"
}

make_folder() {
  [ "$(id -u)" = 0 ] || stop "making the toolchain folder needs root: run it as root, or put an emcc $oldest or newer on the PATH"
  if ! command -v debootstrap >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends debootstrap debian-archive-keyring >&2
  fi
  local mirror="$(debian_mirror)" work="$folder.making"
  echo "emscripten.sh: making $folder (once, about two minutes)" >&2
  mkdir -p "$(dirname "$folder")"
  rm -rf "$work"
  debootstrap --variant=minbase "$suite" "$work" "$mirror" >"$folder.log" 2>&1 || stop "debootstrap failed, see $folder.log"
  printf 'Types: deb deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
    "$mirror" "$suite $source_suite" >"$work/etc/apt/sources.list.d/debian.sources"
  rm -f "$work/etc/apt/sources.list"
  cp /etc/resolv.conf "$work/etc/resolv.conf"
  # A folder that an interruption leaves half done is made anew: nothing has to reach the disk at once.
  echo force-unsafe-io >"$work/etc/dpkg/dpkg.cfg.d/unsafe-io"
  local proxy
  for proxy in /etc/apt/apt.conf /etc/apt/apt.conf.d/*proxy*; do
    if [ -r "$proxy" ]; then cp "$proxy" "$work/etc/apt/apt.conf.d/"; fi
  done
  enter "$work" /bin/sh -ec '
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends --target-release "$0" emscripten cmake ninja-build ccache make dpkg-dev \
      nlohmann-json3-dev doctest-dev
    apt-get clean' "$suite" >>"$folder.log" 2>&1 || stop "installing emscripten failed, see $folder.log"
  mv "$work" "$folder"
}

# Mounts live in a mount namespace of this one command, so that nothing stays behind.
enter() {
  local root="$1"
  shift
  export EMSCRIPTEN_SH_ROOT="$root" EMSCRIPTEN_SH_BIND="$repository
$PWD
${TMPDIR:-/tmp}
${CCACHE_DIR:-}
${TRUSTFORMERS_BIND:-}"
  # The root of a chroot is no mount, and has no propagation to change.
  local propagation=private
  mountpoint -q / || propagation=unchanged
  exec_or_run unshare --mount --propagation "$propagation" /bin/bash -ec '
    bind() {
      if [ -d "$1" ]; then mkdir -p "$EMSCRIPTEN_SH_ROOT$1"; mount --rbind "$1" "$EMSCRIPTEN_SH_ROOT$1"; fi
    }
    bind /proc
    bind /dev
    while IFS= read -r path; do
      if [ -n "$path" ] && [ "$path" != / ]; then bind "$path"; fi
    done <<<"$EMSCRIPTEN_SH_BIND"
    exec chroot "$EMSCRIPTEN_SH_ROOT" /bin/sh -c "cd \"\$1\" && shift && exec \"\$@\"" sh "$0" "$@"' "$PWD" "$@"
}

exec_or_run() { env -u LD_PRELOAD -u NODE_EXTRA_CA_CERTS LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

print_source() {
  local package="$1" at="/var/cache/sources/$1"
  if [ ! -d "$folder$at" ]; then
    mkdir -p "$folder$at.making"
    (cd / && enter "$folder" /bin/sh -ec "cd $at.making && apt-get update -qq &&
      { apt-get source -qq --only-source $package/$suite || apt-get source -qq --only-source $package/$source_suite; }" \
      >>"$folder.log" 2>&1) || stop "no sources of $package, see $folder.log"
    mv "$folder$at.making" "$folder$at"
  fi
  (cd "$folder" && find ".$at" -mindepth 1 -maxdepth 1 -type d) | sed 's/^\.//'
}

[ $# -gt 0 ] || stop "which command? for example: tools/emscripten.sh em++ --version"
case "$1" in
  --setup)
    if ! path_has_new_emcc && [ ! -d "$folder" ]; then make_folder; fi
    ;;
  --source)
    if path_has_new_emcc; then exit 0; fi
    [ -d "$folder" ] || make_folder
    print_source "${2:?which package?}"
    ;;
  *)
    if path_has_new_emcc; then exec "$@"; fi
    [ -d "$folder" ] || make_folder
    [ "$(id -u)" = 0 ] || stop "entering $folder needs root: run it as root, or put an emcc $oldest or newer on the PATH"
    enter "$folder" "$@"
    ;;
esac
