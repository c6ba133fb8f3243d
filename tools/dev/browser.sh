# The WebAssembly conformance tests in headless Chromium: on the page's thread and in a worker, on the CPU and on WebGPU.
. tools/dev/wasm.sh

packages_browser=(chromium nodejs)

verb_browser() {
  local variant=${1:-plain} status=0 where
  need "${packages_browser[@]}"
  wasm_build "$variant" trustformers_browser_tests
  for where in page worker; do
    node tests/browser/run.mjs "build/wasm-$variant/tests/browser" "$where" || status=1
  done
  return $status
}
