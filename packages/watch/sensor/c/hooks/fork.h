/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel/fork.c, copy_process(): the child is made and has not run. It still has its parent's descriptors, so that a
 * shell which moved a socket onto its own shows it at its next command. Threads are not told of, nor kernel threads
 * (they have no memory of their own).
 */
SEC("tp_btf/task_newtask")
int on_fork(__u64 *arguments)
{
	struct task_struct *child = (void *)arguments[0];

	if (READ(child, pid) == READ(child, tgid) && READ(child, mm) && is_wanted(child))
		emit_process(FRAME_FORK, child, 0, false, arguments[1]);
	return 0;
}
