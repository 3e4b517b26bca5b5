#!/bin/sh
# Debian packages that the Python wheels need and that a bare machine may lack. Only as root, only where apt is.
set -eu
command -v apt-get >/dev/null 2>&1 || exit 0
missing=""
for package in python3-venv libgomp1 zlib1g ca-certificates tesseract-ocr-kor; do
    # python3-venv is needed only for Debian's own Python
    [ "$package" = python3-venv ] && python3 -c 'import ensurepip' >/dev/null 2>&1 && continue
    # the data for reading Korean: comes by npm where there is npm; without either, only Korean is read less well
    if [ "$package" = tesseract-ocr-kor ]; then
        command -v npm >/dev/null 2>&1 && continue
        [ "$(id -u)" -ne 0 ] && continue
    fi
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "These Debian packages are missing:$missing. Install them, then run make again." >&2
    exit 2
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
