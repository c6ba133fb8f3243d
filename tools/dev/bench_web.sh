# Speed of the WebAssembly engine as JSON: in Node beside the native one, and in one Chromium beside other engines.
. tools/dev/js.sh

# Their packages; nothing of them is part of ours.
peers=(@wllama/wllama@3.8.1 onnxruntime-web@1.30.0)

# bench_peers MODELS FOLDER THREADS…: FOLDER takes the packages, and MiniLM as ONNX.
bench_peers() {
  local models=$1 folder=$2
  shift 2
  if [ ! -e "$folder/node_modules/.package-lock.json" ]; then
    echo '{"private":true}' >"$folder/package.json"
    progress bench-peers npm install --prefix "$folder" --no-audit --no-fund --ignore-scripts "${peers[@]}" || return 1
  fi
  if [ ! -e "$folder/minilm.onnx" ]; then
    [ -x "$folder/venv/bin/python" ] || python3 -m venv "$folder/venv"
    progress bench-onnx "$folder/venv/bin/pip" install onnx || return 1
    "$folder/venv/bin/python" js/bench/minilm_onnx.py "$models/minilm" "$folder/minilm.onnx"
  fi
  node js/bench/peers.mjs "$models" "$folder/node_modules" "$folder" "$@"
}

# The WebAssembly engine in Node beside the native one, at the same numbers of threads, as ratios.
bench_web() {
  need "${packages_build[@]}" "${packages_test[@]}" "${packages_fetch[@]}"
  js_node || return 1
  [ -e js/dist/index.mjs ] || verb_js
  build release trustformers_bench_models
  local chat embed threads folder=build/bench-web
  chat=$(fetch_models smollm2)
  embed=$(fetch_models minilm)
  mkdir -p "$folder"
  [ $# -gt 0 ] || set -- 1 2
  for threads in "$@"; do
    build/release/bench/trustformers_bench_models "$chat" "$embed" "$threads" >"$folder/native-$threads.json"
    node js/bench/bench.mjs "$chat" "$embed" "$threads" >"$folder/wasm-$threads.json"
    python3 - "$folder/native-$threads.json" "$folder/wasm-$threads.json" <<'PYTHON'
import json, sys
native, wasm = (json.load(open(name)) for name in sys.argv[1:])
native = native[0]
flat = {**native["language_model"], **native["encoder"]}
print(json.dumps({"threads": wasm["threads"], "variant": wasm["variant"],
                  **{key: {"native": round(flat[key], 1), "wasm": round(wasm[key], 1), "ratio": round(wasm[key] / flat[key], 2)} for key in flat}}))
PYTHON
  done
  bench_peers "$(dirname "$chat")" "$folder" "$@"
}
