# SPDX-License-Identifier: Apache-2.0
# What is particular to a cluster of GPU nodes: one rank for each GPU of a node (sbatch --gpus-per-node=4 --ntasks-per-node=4).
# Copy it, change it, and name the copy in AMACRINE_SITE. Sourced by the batch scripts.
# module purge; module load cuda gcc openmpi hdf5
amacrine=${AMACRINE_PROGRAM:-$root/build/cuda/amacrine}
launch=(srun --mpi=pmix --kill-on-bad-exit=1)
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1} OMP_PROC_BIND=spread OMP_PLACES=threads
export HDF5_USE_FILE_LOCKING=FALSE
