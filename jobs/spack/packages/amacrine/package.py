# SPDX-License-Identifier: Apache-2.0
from spack.package import *


class Amacrine(CMakePackage, CudaPackage):
    """From recordings of retinal ganglion cells to mechanisms: trains deep models of the retina, attributes their responses to
    interneurons by path integrals, and reduces them to pathways."""

    # In a clone of the source: spack dev-build amacrine@main
    version("main", branch="main")

    variant("tests", default=False, description="Build the tests")

    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi@3.1:")
    depends_on("hdf5@1.10: +mpi")
    depends_on("kokkos@4.5: +serial +openmp cxxstd=20")
    depends_on("eigen@3.4:")
    depends_on("cli11")
    depends_on("fmt@9:")
    depends_on("spdlog")
    depends_on("nlohmann-json")
    depends_on("tomlplusplus")
    depends_on("xxhash")
    depends_on("random123")
    depends_on("googletest +gmock", when="+tests")
    depends_on("rapidcheck", when="+tests")
    depends_on("python@3.9:", type="run")
    depends_on("py-h5py", type="run")
    depends_on("py-matplotlib", type="run")

    for arch in CudaPackage.cuda_arch_values:
        depends_on(f"kokkos +cuda cuda_arch={arch}", when=f"+cuda cuda_arch={arch}")

    generator("ninja")

    def cmake_args(self):
        return [self.define_from_variant("AMACRINE_ENABLE_TESTS", "tests")]
