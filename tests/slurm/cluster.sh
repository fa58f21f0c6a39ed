# SPDX-License-Identifier: Apache-2.0
# Sourced: a private SLURM of two nodes of 16 CPUs on this machine, all of it in one folder, without root services or /etc/slurm.
#   start_cluster FOLDER; ...; stop_cluster
cluster_pids=()

start_cluster() {
  cluster=$1
  local host; host=$(hostname -s)
  mkdir -p "$cluster"/{munge,state,spool/n1,spool/n2,tmp/n1,tmp/n2,log}
  chmod 755 "$cluster" "$cluster/munge"
  head -c 1024 /dev/urandom >"$cluster/munge/key"; chmod 600 "$cluster/munge/key"
  local port=$((20000 + RANDOM % 20000))
  cat >"$cluster/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$cluster/munge/sock,cred_expire=5
StateSaveLocation=$cluster/state
SlurmdSpoolDir=$cluster/spool/%n
TmpFS=$cluster/tmp/%n
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmdPidFile=$cluster/slurmd-%n.pid
SlurmctldLogFile=$cluster/log/slurmctld.log
SlurmdLogFile=$cluster/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$cluster/log/jobcomp.txt
SwitchType=switch/none
MpiDefault=pmix
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
DefMemPerCPU=256
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,sched_min_interval=100000
ReturnToService=2
KillWait=5
MinJobAge=7200
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=16 Boards=1 SocketsPerBoard=1 CoresPerSocket=16 ThreadsPerCore=1 RealMemory=4096 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=16 Boards=1 SocketsPerBoard=1 CoresPerSocket=16 ThreadsPerCore=1 RealMemory=4096 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
  export SLURM_CONF=$cluster/slurm.conf
  # Two nodes of one host would meet in shared memory.
  export OMPI_MCA_btl=self,tcp OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo
  munged --foreground --force --key-file="$cluster/munge/key" --socket="$cluster/munge/sock" --log-file="$cluster/log/munged.log" \
    --pid-file="$cluster/munge/pid" --seed-file="$cluster/munge/seed" --num-threads=4 >"$cluster/log/munged.out" 2>&1 & cluster_pids+=($!)
  local tries
  for ((tries = 0; tries < 100; ++tries)); do [[ -S $cluster/munge/sock ]] && break; sleep 0.1; done
  slurmctld -D -i -f "$SLURM_CONF" >/dev/null 2>&1 & cluster_pids+=($!)
  slurmd -D -N n1 -f "$SLURM_CONF" >/dev/null 2>&1 & cluster_pids+=($!)
  slurmd -D -N n2 -f "$SLURM_CONF" >/dev/null 2>&1 & cluster_pids+=($!)
  for ((tries = 0; tries < 300; ++tries)); do
    [[ $(sinfo -h -N -t idle -o %N 2>/dev/null | sort | tr '\n' ' ') == "n1 n2 " ]] && return 0
    sleep 0.1
  done
  tail -n 20 "$cluster"/log/*.log
  return 1
}

# lose_node NAME: the node goes down with all that runs on it, and comes back.
lose_node() {
  scontrol update nodename="$1" state=down reason=test
  local number=${1#n}
  kill "${cluster_pids[number + 1]}"; wait "${cluster_pids[number + 1]}" 2>/dev/null || true
  slurmd -D -N "$1" -f "$SLURM_CONF" >/dev/null 2>&1 & cluster_pids[number + 1]=$!
}

stop_cluster() {
  ((${#cluster_pids[@]})) || return 0
  scancel --user="$(id -un)" 2>/dev/null || true
  local i
  for ((i = 0; i < 100; ++i)); do [[ -z $(squeue -h 2>/dev/null) ]] && break; sleep 0.1; done
  for ((i = ${#cluster_pids[@]} - 1; i >= 0; --i)); do kill "${cluster_pids[i]}" 2>/dev/null || true; done
  sleep 1
  kill -KILL "${cluster_pids[@]}" 2>/dev/null || true
  wait "${cluster_pids[@]}" 2>/dev/null || true
}
