#!/usr/bin/env bash
# Installs a build folder into a fresh prefix, moves that prefix, and builds consumers against it by CMake and by pkg-config.
#   tests/install/run.sh BUILD_FOLDER LABEL
set -uo pipefail
build=$(realpath "$1") label=$2 here=$(dirname "$(realpath "$0")")
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0
check() { # NAME COMMAND…
  local name=$1
  shift
  if "$@" >"$scratch/log" 2>&1; then passed=$((passed + 1)); else
    failed=$((failed + 1)); echo "install $label: $name failed"; cat "$scratch/log"
  fi
}

by_cmake() {
  cmake -G Ninja -S "$here/cmake" -B "$scratch/cmake" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$prefix" &&
    cmake --build "$scratch/cmake" && "$scratch/cmake/consumer"
}
by_pkgconfig() {
  export PKG_CONFIG_PATH
  PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name trustformers.pc)")
  # shellcheck disable=SC2046
  ${CXX:-c++} -std=c++20 -Wall -Wextra -Werror "$here/main.cpp" -o "$scratch/consumer" $(pkg-config --cflags --libs trustformers) &&
    LD_LIBRARY_PATH=$(pkg-config --variable=libdir trustformers) "$scratch/consumer"
}

prefix=$scratch/moved
check install cmake --install "$build" --prefix "$scratch/first"
mv "$scratch/first" "$prefix"
check find_package by_cmake
check pkg-config by_pkgconfig
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
