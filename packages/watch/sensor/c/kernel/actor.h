/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who did it: the task that runs, as every frame but those of processes has it. */
#ifndef BULWARK_KERNEL_ACTOR_H
#define BULWARK_KERNEL_ACTOR_H

static __always_inline void read_actor(struct frame_actor *actor, struct task_struct *task)
{
	const struct cred *cred = own_cred(task);

	actor->pid = process_number(task);
	actor->thread = thread_number(task);
	actor->start_time = READ(task, group_leader, start_boottime);
	actor->mount_namespace = mount_namespace(task);
	actor->pid_namespace = pid_namespace(task);
	actor->network_namespace = READ(task, nsproxy, net_ns, ns.inum);
	actor->user_namespace = READ(cred, user_ns, ns.inum);
	actor->uid = READ(cred, uid.val);
	actor->effective_uid = READ(cred, euid.val);
	actor->saved_uid = READ(cred, suid.val);
	actor->capabilities = 0;
	bpf_core_read(&actor->capabilities, sizeof(actor->capabilities), &cred->cap_effective);
	actor->reserved = 0;
}

#endif
