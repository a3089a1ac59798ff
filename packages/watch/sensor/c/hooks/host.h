/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the namespaces of the host's first process. From inside the kernel, because /proc/1/ns may be closed even to
 * root. The loader runs it once (BPF_PROG_TEST_RUN), before anything is attached: it walks from the loader to pid 1.
 *
 * Returns enum host_answer.
 */
#define ANCESTORS 64

SEC("raw_tp/sched_process_exec")
int find_host(void *context)
{
	struct task_struct *self = (void *)bpf_get_current_task(), *task = self;

	(void)context;
	for (int i = 0; i < ANCESTORS; i++) {
		if (BPF_CORE_READ(task, tgid) == 1) {
			host.mount_namespace = mount_namespace(task);
			host.pid_namespace = pid_namespace(task);
			host.network_namespace = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
			if (!host.mount_namespace || !host.pid_namespace)
				return HOST_NOT_FOUND;
			return pid_namespace(self) == host.pid_namespace ? HOST_FOUND : HOST_IS_ELSEWHERE;
		}
		task = BPF_CORE_READ(task, real_parent);
	}
	return HOST_NOT_FOUND;
}
