# Sourced by demo, test and check. Keeps the virtual environment .venv in the clone and installs into it only when
# something changed: pyproject.toml, scripts/constraints.txt, the Python in it, or the place of the clone.
#   CNNVIZ_PYTHON        the Python to make .venv with (default: the first of python3, python3.13, ... that will do)
#   CNNVIZ_CONSTRAINTS   another constraints file, e.g. for an older torch
#   CNNVIZ_TORCH         "default" for PyTorch's default builds, which on Linux are for GPUs, also where there is none

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

# From here on, an environment of its own with the lowest versions that pyproject.toml declares; numpy and PyTorch had
# builds up to Python 3.12 then.
use_lowest_versions() {
  venv="$root/.venv-lowest"
  python="$venv/bin/python"
  constraints="$venv.txt"
  CNNVIZ_PYTHON=${CNNVIZ_PYTHON:-$(command -v python3.11 || command -v python3.12 || true)}
  "$(find_python)" "$root/scripts/lowest_versions.py" >"$constraints"
}

fingerprint() {
  "$python" - "$root" "$root/pyproject.toml" "$constraints" <<'EOF'
import hashlib, sys
root, *files = sys.argv[1:]
print(hashlib.sha256(b"\0".join([root.encode(), sys.version.encode(), *(open(f, "rb").read() for f in files)])).hexdigest())
EOF
}

has_nvidia_gpu() {
  [[ -e /dev/nvidia0 || -e /dev/nvidiactl || -e /dev/dxg ]] || nvidia-smi -L >/dev/null 2>&1
}

# Whether somebody has told pip where packages come from; then they come from there.
pip_has_sources() {
  "$python" -m pip config list 2>/dev/null | grep -Eq '(index-url|find-links|no-index)='
}

# The default builds of PyTorch for Linux bring 3.2 GB that only an NVIDIA GPU uses. Without one, install the builds for
# CPUs where these can be had: uv knows where they are. Fails within a minute, having changed nothing, where not.
install_cpu_torch() (
  [[ ${CNNVIZ_TORCH:-} != default && $(uname -sm) == "Linux x86_64" ]] || exit
  if has_nvidia_gpu || pip_has_sources || "$python" -c 'import torch' 2>/dev/null; then exit 1; fi
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  if ! uv=$(command -v uv); then
    timeout 30 "$python" -m pip install --quiet --disable-pip-version-check --retries 0 --timeout 5 \
      --target "$scratch" uv >/dev/null 2>&1 || exit
    uv="$scratch/bin/uv"
  fi
  torch=(pip install --python "$python" --torch-backend=cpu -c "$constraints" torch torchvision)
  UV_HTTP_TIMEOUT=5 timeout 20 "$uv" "${torch[@]}" --dry-run >/dev/null 2>&1 || exit
  "$uv" "${torch[@]}" --quiet
)

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
  install_cpu_torch || true  # or pip brings the default builds
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
