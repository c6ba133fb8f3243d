# What all verbs share: messages, packages, building with a progress line.

say() { printf '%s\n' "$*" >&2; }
die() { say "dev: $*"; exit 1; }
jobs_count() { nproc 2>/dev/null || getconf _NPROCESSORS_ONLN; }

# Packages by purpose, as Debian and Ubuntu name them.
packages_build=(g++ cmake ninja-build ccache pkg-config nlohmann-json3-dev libpcre2-dev libutf8proc-dev libcli11-dev)
packages_test=(doctest-dev)
packages_clang=(clang-19 libclang-rt-19-dev)
packages_format=(clang-format-19)
packages_tidy=(clang-tidy-19)
packages_python=(python3)
packages_fetch=(python3 python3-pip ca-certificates)
packages_all=("${packages_build[@]}" "${packages_test[@]}" "${packages_clang[@]}" "${packages_format[@]}" "${packages_tidy[@]}"
  "${packages_fetch[@]}")

# Whether what a package brings is there: its program, from wherever it came, or the package itself.
have() {
  local program=$1
  case $1 in
    ninja-build) program=ninja ;;
    clang-19) program=clang++-19 ;;
    python3-pip) program=pip3 ;;
  esac
  command -v "$program" >/dev/null && return 0
  case $(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null) in ii*) ;; *) return 1 ;; esac
}

# need PACKAGE…: installs those that are absent. Elsewhere than on Debian and Ubuntu the user's own tools are taken.
need() {
  command -v dpkg-query >/dev/null || return 0
  local absent=() package
  for package in "$@"; do have "$package" || absent+=("$package"); done
  [ ${#absent[@]} -gt 0 ] || return 0
  local root=()
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
      root=(sudo)
    else
      die "packages are missing; run: sudo apt-get update && sudo apt-get install -y --no-install-recommends ${absent[*]}"
    fi
  fi
  say "installing ${absent[*]}"
  local install=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${absent[@]}")
  # The package lists of a fresh machine are absent or old: refresh them only when the first try fails.
  "${install[@]}" >/dev/null 2>&1 || { "${root[@]}" apt-get update -qq >/dev/null && "${install[@]}" >/dev/null; } ||
    die "apt-get could not install ${absent[*]}"
}

# progress LABEL COMMAND…: runs it with its output in build/log/LABEL.log and shows the latest "[done/total]" line of
# that output: in place on a terminal, every 20 seconds elsewhere. On failure prints what went wrong.
progress() {
  local label=$1 log=build/log/$1.log start=$SECONDS shown=$SECONDS pid status line
  shift
  mkdir -p build/log
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    [ $((SECONDS - start)) -ge 2 ] || continue
    line=$(tail -c 2000 "$log" | grep -aoE '^\[[0-9]+/[0-9]+\]' | tail -n 1 || true)
    if [ -t 2 ]; then
      printf '\r%s %s %ss ' "$label" "$line" $((SECONDS - start)) >&2
    elif [ $((SECONDS - shown)) -ge 20 ]; then
      shown=$SECONDS
      say "$label $line $((SECONDS - start)) s"
    fi
  done
  wait "$pid" && status=0 || status=$?
  if [ -t 2 ] && [ $((SECONDS - start)) -ge 2 ]; then printf '\r\033[K' >&2; fi
  if [ "$status" -ne 0 ]; then
    { grep -aE -A 12 '^FAILED|error:|Error at' "$log" || tail -n 40 "$log"; } | head -n 100 >&2
    say "$label failed; the whole output is in $log"
  fi
  return "$status"
}

# build PRESET [TARGET…]: configures when needed (CMake itself notices later changes) and builds.
build() {
  local preset=$1
  shift
  need "${packages_build[@]}" "${packages_test[@]}"
  if command -v ccache >/dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
    export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1  # the same file is the same in every build folder
  fi
  local folder=build/$preset
  if [ ! -e "$folder/build.ninja" ] && ! printf '3.25\n%s\n' "$(cmake --version | grep -oE '[0-9.]+' | head -n 1)" | sort -CV; then
    die "CMake 3.25 or newer is needed, this is $(cmake --version | head -n 1)"
  fi
  if [ ! -e "$folder/build.ninja" ] || [ CMakePresets.json -nt "$folder/build.ninja" ]; then
    progress "configure-$preset" cmake --preset "$preset" || return 1
  fi
  compile "$preset" "$(jobs_count)" ninja "$@"
}

# compile NAME JOBS NINJA… [TARGET…]: builds build/NAME, and keeps what the compiler warned about in build/log/warnings-NAME.
compile() {
  local name=$1 jobs=$2 status=0
  shift 2
  progress "build-$name" "$@" -C "build/$name" -j "$jobs" || status=$?
  grep -aE '(src|apps|tests|examples|tools|bench|js)/[^ ]+ warning: ' "build/log/build-$name.log" | tee -a "build/log/warnings-$name" >&2 || true
  return $status
}
