# The package js/: WebAssembly modules (simd and relaxed), the build by esbuild and tsc, the size budget, and Jest.
#   ./dev js           all of it
#   ./dev js --quick   with the modules that are there
. tools/dev/wasm.sh

packages_js=(nodejs npm)

js_prepare() {
  need "${packages_js[@]}"
  if [ js/package-lock.json -nt js/node_modules/.package-lock.json ]; then
    progress js-packages npm ci --prefix js --no-audit --no-fund --ignore-scripts || return 1
    # esbuild's own script only checks its binary, which came as a package.
  fi
}

# Prints Jest's counts as our line.
js_test() {
  local log=build/log/jest.log status=0
  (cd js && npm test --silent -- --ci) >"$log" 2>&1 || status=$?
  [ "$status" -eq 0 ] || grep -vE '^ *at ' "$log" | head -n 200
  awk '/^Tests:/ { for (i = 2; i < NF; ++i) { if ($(i+1) ~ /^passed/) p = $i; if ($(i+1) ~ /^failed/) f = $i; if ($(i+1) ~ /^skipped/) s = $i } }
    END { printf "%d passed, %d failed, %d skipped\n", p, f, s }' "$log"
  return $status
}

verb_js() {
  local status=0 variant
  js_prepare || return 1
  if [ "${1:-}" != --quick ]; then
    for variant in plain relaxed; do wasm_build "$variant" trustformers_wasm || return 1; done
  fi
  mkdir -p build/log
  (cd js && npx --no-install tsc --noEmit && node scripts/build.mjs && node scripts/size.mjs) || status=1
  js_test || status=1
  return $status
}
