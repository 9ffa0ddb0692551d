# Sourced by demo, test and check. Keeps the virtual environment .venv in the clone and installs into it only when
# something changed: pyproject.toml, scripts/constraints.txt, the Python in it, or the place of the clone.
#   CNNVIZ_PYTHON        the Python to make .venv with (default: the first of python3, python3.13, ... that will do)
#   CNNVIZ_CONSTRAINTS   another constraints file, e.g. for an older torch

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$root/.venv"
python="$venv/bin/python"
constraints=${CNNVIZ_CONSTRAINTS:-$root/scripts/constraints.txt}

find_python() {
  local candidate
  for candidate in ${CNNVIZ_PYTHON:+"$CNNVIZ_PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "No Python 3.11 or newer with venv and ensurepip was found: install one (on Debian and Ubuntu also" \
    "python3-venv), or name it in CNNVIZ_PYTHON." >&2
  return 1
}

fingerprint() {
  "$python" - "$root" "$root/pyproject.toml" "$constraints" <<'EOF'
import hashlib, sys
root, *files = sys.argv[1:]
print(hashlib.sha256(b"\0".join([root.encode(), sys.version.encode(), *(open(f, "rb").read() for f in files)])).hexdigest())
EOF
}

# install EXTRA...: afterwards .venv has the project, editable, with these extras.
install() {
  if ! "$python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    local base
    base=$(find_python)
    echo "Making a virtual environment in $venv"
    "$base" -m venv --clear "$venv"
  fi
  local wanted extra missing=()
  wanted=$(fingerprint)
  for extra in "$@"; do
    [[ $(cat "$venv/.installed-$extra" 2>/dev/null) == "$wanted" ]] || missing+=("$extra")
  done
  ((${#missing[@]})) || return 0
  echo "Installing cnnviz-widgets with $* (once: PyTorch is large, this takes minutes)"
  local extras
  extras=$(IFS=,; echo "$*")
  local loud=(--quiet)
  [[ -t 1 ]] && loud=(--progress-bar on)  # somebody is waiting: show that it moves
  "$python" -m pip install --disable-pip-version-check "${loud[@]}" --constraint "$constraints" \
    --editable "$root[$extras]"
  for extra in "$@"; do
    echo "$wanted" >"$venv/.installed-$extra"
  done
}
