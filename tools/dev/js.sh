# The package js/: WebAssembly modules, the build by esbuild and tsc, the size budget, Jest.
#   ./dev js              all of it, with the modules of one thread (plain, relaxed)
#   ./dev js --quick      with the modules that are there
#   ./dev js VARIANT…     only these modules
. tools/dev/wasm.sh

packages_js=(nodejs npm)

js_prepare() {
  need "${packages_js[@]}"
  # Nothing here needs a script of its own when it is installed.
  if [ ! js/node_modules/.package-lock.json -nt js/package-lock.json ]; then
    progress js-packages npm ci --prefix js --no-audit --no-fund --ignore-scripts || return 1
    touch js/node_modules/.package-lock.json
  fi
}

js_build() {
  mkdir -p build/log
  (cd js && npm run --silent types && npm run --silent build && node scripts/size.mjs)
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

verb_js() {
  local status=0 variant quick=
  if [ "${1:-}" = --quick ]; then
    quick=1
    shift
  fi
  js_prepare || return 1
  if [ -z "$quick" ]; then
    [ $# -gt 0 ] || set -- plain relaxed
    for variant in "$@"; do wasm_build "$variant" trustformers_wasm || return 1; done
  fi
  js_build || status=1
  js_test || status=1
  return $status
}
