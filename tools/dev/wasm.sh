# WebAssembly: build/wasm-plain, build/wasm-threads (worker threads), build/wasm-relaxed (relaxed SIMD) and
# build/wasm-relaxed-threads, and the conformance tests of each under Node.

wasm_variants=(plain threads relaxed relaxed-threads)

wasm_configure() { # VARIANT…
  local variant
  for variant in "$@"; do wasm_configure_one "$variant" || return 1; done
}

wasm_configure_one() { # VARIANT
  local variant=$1 folder=build/wasm-$1 flags=() known=() name source other
  case $variant in
    plain) ;;
    threads) flags+=(-DTRUSTFORMERS_WASM_THREADS=ON) ;;
    relaxed) flags+=(-DTRUSTFORMERS_WASM_RELAXED_SIMD=ON) ;;
    relaxed-threads) flags+=(-DTRUSTFORMERS_WASM_RELAXED_SIMD=ON -DTRUSTFORMERS_WASM_THREADS=ON) ;;
    *) die "usage: ./dev wasm [${wasm_variants[*]}]" ;;
  esac
  progress wasm-setup tools/emscripten.sh --setup || return 1
  [ ! -e "$folder/build.ninja" ] || return 0
  for name in nlohmann-json3 doctest pcre2 utf8proc; do
    source=$(tools/emscripten.sh --source "$name") || return 1
    [ -z "$source" ] || flags+=("-DFETCHCONTENT_SOURCE_DIR_$(sed 's/-json3/_json/' <<<"$name" | tr a-z A-Z)=$source")
  done
  if tools/emscripten.sh sh -c 'command -v ccache' >/dev/null; then
    flags+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  # What the compiler was found to have holds for every variant, and asking it is slow.
  other=$(ls build/wasm-*/build.ninja 2>/dev/null | head -n 1 || true)
  if [ -n "$other" ]; then
    mapfile -t known < <(sed -nE 's/^(HAVE_[A-Z0-9_]+):INTERNAL=(.*)$/-D\1=\2/p' "$(dirname "$other")/CMakeCache.txt")
    flags+=("${known[@]}")
  fi
  progress "configure-wasm-$variant" tools/emscripten.sh emcmake cmake -G Ninja -B "$folder" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=32 -DTRUSTFORMERS_BUILD_APPS=OFF -DTRUSTFORMERS_BUILD_EXAMPLES=OFF "${flags[@]}" .
}

wasm_compile() { # VARIANT JOBS [TARGET…]
  local variant=$1 jobs=$2
  shift 2
  # Relaxed SIMD is in the kernels alone: paths that do not name the variant let the compiler cache give it the rest.
  local -x CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
  compile "wasm-$variant" "$jobs" tools/emscripten.sh ninja "$@"
}

wasm_build() { # VARIANT [TARGET…]
  wasm_configure "$1" && wasm_compile "$1" "$(jobs_count)" "${@:2}"
}

verb_wasm() {
  local variant=${1:-plain} node=(node)
  wasm_build "$variant" trustformers_wasm trustformers_browser_tests
  # Node 20 has relaxed SIMD behind a flag, which later ones need not know.
  if [[ $variant == relaxed* ]] && tools/emscripten.sh node --experimental-wasm-relaxed-simd -e 0 2>/dev/null; then
    node+=(--experimental-wasm-relaxed-simd)
  fi
  tools/emscripten.sh "${node[@]}" tests/browser/run.mjs "build/wasm-$variant/tests/browser" node
}
