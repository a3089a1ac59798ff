/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds what is of the host. From inside the kernel, because /proc/1/ns may be closed even to root. The loader runs it
 * once (BPF_PROG_TEST_RUN), before anything is attached: it walks from the loader to the first process that can be seen
 * from here.
 *
 * That is the machine's, or that of a node which is a container itself and in whose PID namespace we are. Our own
 * container's it must not be: then we would see nothing of the node. A pod's, which its containers share, is not among
 * our ancestors; that of our container's own is in its mount namespace or cgroups.
 *
 * Runtimes need not be in the mount namespace of the first process: Docker of a snap is not, nor one whose unit has
 * MountFlags=, nor nodes that share the processes of one machine. They are where our container was started from: the
 * first ancestor that is in another mount namespace than we are, and in other cgroups, so that no namespace which was
 * made inside of our container is taken for it. No container can become our ancestor.
 *
 * Returns enum host_answer.
 */
#define ANCESTORS 64

SEC("raw_tp/sched_process_exec")
int find_host(void *context)
{
	struct task_struct *self = (void *)bpf_get_current_task(), *task = self;
	__u32 own_mounts = mount_namespace(self), own_pids = pid_namespace(self);
	struct css_set *own_cgroups = READ(self, cgroups);
	__u32 level = READ(self, thread_pid, level);

	(void)context;
	for (int i = 0; i < ANCESTORS; i++) {
		__u32 mounts = mount_namespace(task), network = READ(task, nsproxy, net_ns, ns.inum);
		bool is_elsewhere = mounts != own_mounts && READ(task, cgroups) != own_cgroups;
		bool is_first = READ(innermost_pid(task), nr) == 1 && pid_namespace(task) == own_pids;

		if (!host.node_mount_namespace && (is_elsewhere || is_first)) {
			host.node_mount_namespace = mounts;
			host.node_network_namespace = network;
		}
		if (is_first) {
			host.mount_namespace = mounts;
			host.network_namespace = network;
			host.pid_namespace = own_pids;
			host.pid_level = level;
			if (!host.mount_namespace || !host.pid_namespace)
				return HOST_NOT_FOUND;
			return level == 0 || is_elsewhere ? HOST_FOUND : HOST_IS_ELSEWHERE;
		}
		if (READ(task, tgid) == 1)
			return HOST_IS_ELSEWHERE;
		/* Any thread of a process may be the parent. */
		task = READ(task, real_parent, group_leader);
	}
	return HOST_NOT_FOUND;
}
