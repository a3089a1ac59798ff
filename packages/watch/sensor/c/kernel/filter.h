/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which processes are told of. */
#ifndef BULWARK_KERNEL_FILTER_H
#define BULWARK_KERNEL_FILTER_H

/*
 * Its rights. What it does is asked of `cred`, which is another's while the kernel works for it with that one's: overlayfs looks
 * files up as who mounted it, who is root (override_creds()).
 */
static __always_inline const struct cred *own_cred(struct task_struct *task)
{
	return READ(task, real_cred);
}

/* numbers[] is a flexible array: its index is not in reach of CO-RE, its element's size is. */
static __always_inline struct upid *pid_at(struct pid *pid, __u32 level)
{
	return (struct upid *)((char *)&pid->numbers[0] + level * bpf_core_type_size(struct upid));
}

static __always_inline struct upid *innermost_pid(struct task_struct *task)
{
	struct pid *pid = READ(task, thread_pid);

	return pid_at(pid, READ(pid, level));
}

/* In the PID namespace of the node, which is the one that user space is in; 0: it is not of the node. */
static __always_inline __u32 number_of(struct pid *pid)
{
	if (!host.pid_level)
		return READ(pid, numbers[0].nr);
	if (READ(pid, level) < host.pid_level)
		return 0;
	struct upid *number = pid_at(pid, host.pid_level);
	return READ(number, ns, ns.inum) == host.pid_namespace ? READ(number, nr) : 0;
}

static __always_inline __u32 process_number(struct task_struct *task)
{
	return host.pid_level ? number_of(READ(task, group_leader, thread_pid)) : READ(task, tgid);
}

static __always_inline __u32 thread_number(struct task_struct *task)
{
	return host.pid_level ? number_of(READ(task, thread_pid)) : READ(task, pid);
}

static __always_inline __u32 mount_namespace(struct task_struct *task)
{
	return READ(task, nsproxy, mnt_ns, ns.inum);
}

/* The one that the process lives in, not nsproxy->pid_ns_for_children, where its children will. */
static __always_inline __u32 pid_namespace(struct task_struct *task)
{
	return READ(innermost_pid(task), ns, ns.inum);
}

/* Of the machine or of the node, where these are not the same: runtimes are there, containers are not. */
static __always_inline bool is_mount_of_host(__u32 mount_namespace)
{
	return mount_namespace == host.mount_namespace || mount_namespace == host.node_mount_namespace;
}

static __always_inline bool is_network_of_host(__u32 network_namespace)
{
	return network_namespace == host.network_namespace || network_namespace == host.node_network_namespace;
}

/* Its mount or PID namespace is not the host's. */
static __always_inline bool in_container(struct task_struct *task)
{
	return !is_mount_of_host(mount_namespace(task)) || pid_namespace(task) != host.pid_namespace;
}

/* A program that the kernel itself started: modprobe, a core_pattern pipe, a release_agent. Not pid 1 (child of 0). */
static __always_inline bool has_kernel_parent(struct task_struct *task)
{
	struct task_struct *parent = READ(task, real_parent);

	return (READ(parent, flags) & PF_KTHREAD) && READ(parent, pid) != 0;
}

/* On a machine of several nodes that are containers, those of the others and of the machine are not ours to tell of. */
static __always_inline bool is_told(struct task_struct *task)
{
	return (settings.include_host || in_container(task)) && (!host.pid_level || process_number(task));
}

/*
 * Programs that the kernel starts run in the host's namespaces, also where a container made the kernel do it: that is
 * how escapes by core_pattern, modprobe and release_agent end. They are rare, and always told of; but not to a node that
 * is a container, where they have no number.
 */
static __always_inline bool is_wanted(struct task_struct *task)
{
	return is_told(task) || (!host.pid_level && has_kernel_parent(task));
}

#endif
