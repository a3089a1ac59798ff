/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which processes are told of. */
#ifndef BULWARK_KERNEL_FILTER_H
#define BULWARK_KERNEL_FILTER_H

static __always_inline struct upid *innermost_pid(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);

	/* numbers[] is a flexible array: its index is not in reach of CO-RE, its element's size is. */
	return (struct upid *)((char *)&pid->numbers[0] + level * bpf_core_type_size(struct upid));
}

static __always_inline __u32 mount_namespace(struct task_struct *task)
{
	return BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
}

/* The one that the process lives in, not nsproxy->pid_ns_for_children, where its children will. */
static __always_inline __u32 pid_namespace(struct task_struct *task)
{
	return BPF_CORE_READ(innermost_pid(task), ns, ns.inum);
}

/* Its mount or PID namespace is not the one of the host's first process. */
static __always_inline bool in_container(struct task_struct *task)
{
	return mount_namespace(task) != host.mount_namespace || pid_namespace(task) != host.pid_namespace;
}

/* A program that the kernel itself started: modprobe, a core_pattern pipe, a release_agent. Not pid 1 (child of 0). */
static __always_inline bool has_kernel_parent(struct task_struct *task)
{
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);

	return (BPF_CORE_READ(parent, flags) & PF_KTHREAD) && BPF_CORE_READ(parent, pid) != 0;
}

/*
 * Programs that the kernel starts run in the host's namespaces, also where a container made the kernel do it: that is
 * how escapes by core_pattern, modprobe and release_agent end. They are rare, and always told of.
 */
static __always_inline bool is_wanted(struct task_struct *task)
{
	return settings.include_host || in_container(task) || has_kernel_parent(task);
}

#endif
