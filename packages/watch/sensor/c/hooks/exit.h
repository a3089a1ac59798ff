/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The code as wait_task_zombie() in kernel/exit.c gives it: the group's where exit_group(2) or a signal ended it. */
static __always_inline __u32 exit_code_of(struct task_struct *leader)
{
	struct signal_struct *signal = READ(leader, signal);

	if (READ(signal, flags) & SIGNAL_GROUP_EXIT)
		return READ(signal, group_exit_code);
	return READ(leader, exit_code);
}

/*
 * kernel/exit.c, do_exit(). The process ends with its last thread, which need not be its leader. Before 6.16 the
 * tracepoint does not say which is the last; two that end at the same instant may then both be told of.
 */
SEC("tp_btf/sched_process_exit")
int on_exit(__u64 *arguments)
{
	struct task_struct *task = (void *)arguments[0];
	struct task_struct *leader = READ(task, group_leader);
	bool last = settings.exit_tells_group_dead ? (bool)arguments[1] : READ(task, signal, live.counter) == 0;

	if (!last || !is_wanted(task))
		return 0;
	struct frame_exit frame = {
		.start_time = READ(leader, start_boottime),
		.pid = process_number(task),
		.exit_code = exit_code_of(leader),
	};
	begin_frame(&frame.header, FRAME_EXIT, sizeof(frame));
	emit(&frame, sizeof(frame));
	return 0;
}
