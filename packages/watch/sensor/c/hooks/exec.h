/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fs/exec.c, exec_binprm(): the new program is in place, descriptors that close on exec are closed, nothing of it ran. */
SEC("tp_btf/sched_process_exec")
int on_exec(__u64 *arguments)
{
	struct task_struct *task = (void *)arguments[0];
	struct linux_binprm *bprm = (void *)arguments[2];

	if (is_wanted(task))
		emit_process(FRAME_EXEC, task, bprm, false, 0, false);
	return 0;
}
