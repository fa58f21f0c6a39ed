# SPDX-License-Identifier: Apache-2.0
# What is particular to a cluster of CPU nodes; copy it, change it, and name the copy in AMACRINE_SITE. Sourced by the batch scripts.
# module purge; module load gcc openmpi hdf5           # what amacrine was built with
amacrine=${AMACRINE_PROGRAM:-$root/build/openmp/amacrine}
launch=(srun --mpi=pmix --kill-on-bad-exit=1)          # or: launch=(mpirun)
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1} OMP_PROC_BIND=spread OMP_PLACES=threads
export HDF5_USE_FILE_LOCKING=FALSE                     # Lustre and NFS mounts often have no locks; amacrine has its own
