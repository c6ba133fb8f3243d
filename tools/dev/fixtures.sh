# The package js/ in frameworks and runtimes that are heavy to fetch: Next, Deno, Bun. Their programs come as npm packages.
. tools/dev/js.sh

verb_fixtures() {
  js_node || return 1
  js_packages js js-packages || return 1
  js_packages js/tests/runtimes js-runtime-packages install --no-save || return 1
  [ -e js/dist/index.mjs ] || js_build || return 1
  node js/tests/runtimes/run.mjs
}
