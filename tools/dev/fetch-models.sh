fetch_models() {
  need "${packages_fetch[@]}"
  python3 tools/fetch_models.py "$@"
}

verb_fetch_models() { fetch_models "$@"; }
