/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel/fork.c, copy_process(): the child is made and has not run. It still has its parent's descriptors, so that a
 * shell which moved a socket onto its own shows it at its next command. Threads are not told of, nor kernel threads
 * (they have no memory of their own). What a child runs until it begins a program is what its parent runs, and is told again
 * only where that is not known: the parent is not told of, or is another than the one that made it (CLONE_PARENT).
 */
SEC("tp_btf/task_newtask")
int on_fork(__u64 *arguments)
{
	struct task_struct *child = (void *)arguments[0], *maker = (void *)bpf_get_current_task();

	if (READ(child, pid) != READ(child, tgid) || !READ(child, mm) || !is_wanted(child))
		return 0;
	bool copied = READ(child, real_parent, tgid) == READ(maker, tgid) && is_told(maker);
	emit_process(FRAME_FORK, child, 0, false, arguments[1], copied);
	return 0;
}
