fetch_models() {
  # A pip of one's own (pyenv, conda, a virtual environment) serves as well as the system's.
  if ! python3 -m pip --version >/dev/null 2>&1; then need "${packages_fetch[@]}"; fi
  python3 tools/fetch_models.py "$@"
}

verb_fetch_models() { fetch_models "$@"; }
