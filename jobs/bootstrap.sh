#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what a build needs and is missing: Debian packages, then Kokkos into .deps/kokkos-PRESET.
#   jobs/bootstrap.sh [openmp|serial|debug|cuda|cuda_headers]...      (default: openmp; cuda_headers is to compile with, not to link)
#   jobs/bootstrap.sh --packages                         (packages only)
# Nothing is installed twice; without root the missing packages are named and the script stops (exit 2).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
deps=${AMACRINE_DEPS:-$root/.deps}
packages=(g++ make cmake ninja-build ccache pkg-config ca-certificates git libopenmpi-dev openmpi-bin openssh-client libhdf5-openmpi-dev
  libeigen3-dev libgtest-dev libgmock-dev librapidcheck-dev libtomlplusplus-dev libcli11-dev libfmt-dev libspdlog-dev nlohmann-json3-dev
  librandom123-dev libxxhash-dev libfftw3-dev libbenchmark-dev hdf5-tools clang-format clang-tidy python3 python3-venv
  slurm-wlm munge python3-h5py python3-h5netcdf python3-netcdf4 python3-xarray python3-matplotlib)

kokkos_version=4.5.01
kokkos_commit=175257a51ff29a0059ec48bcd233ee096b2c0438
carrier=pycompadre carrier_version=1.7.6
carrier_sha256=c766ec4d445ce076069be4b8c51a23ffac4ee79ea949ca86446bfd8c299b154c

say() { printf '[bootstrap] %s\n' "$*"; }

missing_packages() {
  command -v dpkg-query >/dev/null || return 0
  local p
  for p in "${packages[@]}"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true) == installed ]] || printf '%s\n' "$p"
  done
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]} == 0)); then say "packages: all there"; return; fi
  if ! command -v apt-get >/dev/null || (($(id -u) != 0)); then
    say "missing packages: ${missing[*]}"
    say "install them as root (apt-get install --no-install-recommends ...), or load modules and run cmake --preset openmp yourself"
    exit 2
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  DEBIAN_FRONTEND=noninteractive apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

fetch_kokkos() { # -> $deps/source/kokkos
  local src=$deps/source/kokkos
  if [[ -f $src/.amacrine-source ]]; then return; fi
  rm -rf "$deps/source"; mkdir -p "$deps/source"
  if timeout 60 git -c http.lowSpeedLimit=1000 -c http.lowSpeedTime=10 clone -q --depth 1 --branch "$kokkos_version" \
       https://github.com/kokkos/kokkos.git "$src" 2>/dev/null \
     && [[ $(git -C "$src" rev-parse HEAD) == "$kokkos_commit" ]]; then
    say "Kokkos $kokkos_version from its repository, commit $kokkos_commit"
    echo "git $kokkos_commit" >"$src/.amacrine-source"
    return
  fi
  rm -rf "$src"
  say "the Kokkos repository does not answer; taking the same tree from the source distribution of $carrier $carrier_version"
  python3 -m venv "$deps/source/venv"
  "$deps/source/venv/bin/pip" download -q --disable-pip-version-check --no-deps --no-build-isolation --no-binary "$carrier" -d "$deps/source" "$carrier==$carrier_version" 2>/dev/null \
    || "$deps/source/venv/bin/pip" download -q --disable-pip-version-check --no-deps --no-binary "$carrier" -d "$deps/source" "$carrier==$carrier_version"
  local tarball=$deps/source/$carrier-$carrier_version.tar.gz
  echo "$carrier_sha256  $tarball" | sha256sum -c --quiet - || { say "checksum of $tarball is wrong; nothing was built"; exit 1; }
  tar xzf "$tarball" -C "$deps/source" "$carrier-$carrier_version/kokkos"
  mv "$deps/source/$carrier-$carrier_version/kokkos" "$src"
  rm -rf "$tarball" "$deps/source/venv" "$deps/source/$carrier-$carrier_version"
  echo "$carrier $carrier_version $carrier_sha256" >"$src/.amacrine-source"
}

build_kokkos() { # preset
  local preset=$1 prefix=$deps/kokkos-$1 build=$deps/build-$1
  local flags=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_STANDARD=20 -DCMAKE_CXX_EXTENSIONS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON
    -DKokkos_ENABLE_SERIAL=ON)
  case $preset in
    openmp) flags+=(-DKokkos_ENABLE_OPENMP=ON -DKokkos_ARCH_NATIVE=ON) ;;
    serial) flags+=(-DKokkos_ARCH_NATIVE=ON) ;;
    debug) flags+=(-DKokkos_ENABLE_DEBUG=ON -DKokkos_ENABLE_DEBUG_BOUNDS_CHECK=ON) ;;
    cuda | cuda_headers) flags+=(-DKokkos_ENABLE_OPENMP=ON -DKokkos_ENABLE_CUDA=ON -DKokkos_ARCH_HOPPER90=ON -DKokkos_ENABLE_COMPILE_AS_CMAKE_LANGUAGE=ON
      -DCMAKE_CXX_COMPILER=g++ "-DCMAKE_CUDA_COMPILER=$(command -v nvcc)" -DCMAKE_CUDA_ARCHITECTURES=90
      "-DCMAKE_CUDA_FLAGS=-std=c++20 -include $root/cmake/cuda13_compat.h") ;;
    *) say "no such preset: $preset (openmp, serial, debug, cuda)"; exit 2 ;;
  esac
  local cpu stamp
  cpu=$(grep -m1 '^model name' /proc/cpuinfo 2>/dev/null || uname -m)
  stamp=$(printf '%s\n' "$kokkos_version" "$cpu" "$(grep -m1 '^flags' /proc/cpuinfo 2>/dev/null)" "${flags[@]}" | sha256sum | cut -c1-16)
  if [[ -f $prefix/.stamp && $(<"$prefix/.stamp") == "$stamp" ]]; then say "Kokkos for $preset: there"; return; fi
  fetch_kokkos
  say "building Kokkos $kokkos_version for $preset"
  rm -rf "$build" "$prefix"
  local steps=(ninja -C "$build" install)
  if [[ $preset == *_headers ]]; then build=$prefix steps=(true); fi # to compile with, not to link
  cmake -G Ninja -S "$deps/source/kokkos" -B "$build" "${flags[@]}" "-DCMAKE_INSTALL_PREFIX=$prefix" >"$deps/build-$preset.log" 2>&1 \
    && "${steps[@]}" >>"$deps/build-$preset.log" 2>&1 \
    || { tail -n 30 "$deps/build-$preset.log"; say "Kokkos did not build; the log is $deps/build-$preset.log"; exit 1; }
  [[ $build == "$prefix" ]] || rm -rf "$build"
  echo "$stamp" >"$prefix/.stamp"
}

install_packages
[[ ${1:-} == --packages ]] && exit 0
mkdir -p "$deps"
for preset in "${@:-openmp}"; do build_kokkos "$preset"; done
