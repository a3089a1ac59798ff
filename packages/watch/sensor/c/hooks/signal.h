/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * kernel/signal.c, __send_signal_locked(): a signal of one process to another. Not told of: what the kernel sends by
 * itself, the end of a child, what a process sends to its own threads, and signals that only ask (number 0 never gets
 * here). Told of are those that end, stop or trace.
 */
#define SIGNALS_TOLD (BIT64(2) | BIT64(3) | BIT64(6) | BIT64(9) | BIT64(15) | BIT64(19))
#define SIGNAL_OF_USER 0 /* SI_USER; SI_TKILL is -6, SI_QUEUE -1 */

SEC("tp_btf/signal_generate")
int on_signal(__u64 *arguments)
{
	int number = arguments[0];
	struct kernel_siginfo *information = (void *)arguments[1];
	struct task_struct *target = (void *)arguments[2], *task = (void *)bpf_get_current_task();

	/* SEND_SIG_NOINFO (0) is a user's, SEND_SIG_PRIV (1) the kernel's. */
	if (number <= 0 || number >= 64 || !(BIT64(number) & SIGNALS_TOLD) || (__u64)information == 1)
		return 0;
	if (information && READ(information, si_code) > 0)
		return 0;
	if (!is_told(task))
		return 0;
	struct frame_signal frame = {
		.target_pid = process_number(target),
		.target_start_time = READ(target, group_leader, start_boottime),
		.target_pid_namespace = pid_namespace(target),
		.signal = number,
	};
	read_actor(&frame.actor, task);
	if (frame.actor.pid == frame.target_pid || !has_share(task))
		return 0;
	bpf_probe_read_kernel_str(frame.target_name, sizeof(frame.target_name), &target->comm);
	begin_frame(&frame.header, FRAME_SIGNAL, sizeof(frame));
	emit(&frame, sizeof(frame));
	return 0;
}
