// SPDX-License-Identifier: Apache-2.0
// CUDA 13 changed three runtime signatures that Kokkos 4.5 calls; these overloads give it the old ones back.
#pragma once
#if defined(__CUDACC__)
#include <cuda_runtime_api.h>
#if CUDART_VERSION >= 13000
inline cudaMemLocation amacrine_cuda_location(int device) {
  cudaMemLocation location{};
  location.type = device == cudaCpuDeviceId ? cudaMemLocationTypeHost : cudaMemLocationTypeDevice;
  location.id = device == cudaCpuDeviceId ? 0 : device;
  return location;
}
inline cudaError_t cudaMemAdvise(const void* pointer, size_t bytes, cudaMemoryAdvise advice, int device) {
  return cudaMemAdvise(pointer, bytes, advice, amacrine_cuda_location(device));
}
inline cudaError_t cudaMemPrefetchAsync(const void* pointer, size_t bytes, int device, cudaStream_t stream = nullptr) {
  return cudaMemPrefetchAsync(pointer, bytes, amacrine_cuda_location(device), 0, stream);
}
inline cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from, const cudaGraphNode_t* to, size_t count) {
  return cudaGraphAddDependencies(graph, from, to, nullptr, count);
}
#endif
#endif
