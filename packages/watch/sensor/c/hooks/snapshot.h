/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is already there when the sensor starts. The loader reads it once, after the other programs are attached. */
SEC("iter.s/task")
int on_snapshot(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;

	if (!task || task->pid != task->tgid || !task->mm || !task->nsproxy)
		return 0;
	if (is_told(task))
		emit_process(FRAME_SNAPSHOT, task, 0, true, 0, false);
	return 0;
}
