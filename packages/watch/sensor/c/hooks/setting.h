/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fs/proc/proc_sysctl.c, proc_sys_call_handler(): each read and write below /proc/sys. Programs read settings all day;
 * only writes are told of. Returns 1: allowed.
 */
#define SETTING_NAME_BYTES 128
#define SETTING_VALUE_BYTES 1024

SEC("cgroup/sysctl")
int on_setting(struct bpf_sysctl *context)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct sheet *sheet;
	__u32 at = sizeof(struct frame_setting);

	if (!context->write || !is_told(task) || !has_share(task))
		return 1;
	sheet = take_sheet();
	if (!sheet)
		return 1;
	struct frame_setting *frame = &sheet->setting;
	read_actor(&frame->actor, task);
	frame->operation = SETTING_WRITE;
	__builtin_memset(frame->reserved, 0, sizeof(frame->reserved));
	int size = bpf_sysctl_get_name(context, (char *)sheet->bytes + at, SETTING_NAME_BYTES, 0);
	frame->lengths[0] = size > 0 && size < SETTING_NAME_BYTES ? size : 0;
	at += frame->lengths[0];
	hide(at);
	frame->lengths[1] = 0;
	if (at <= FRAME_MAX - SETTING_VALUE_BYTES) {
		/* A value that is too long is cut, and ends in NUL. */
		size = bpf_sysctl_get_new_value(context, (char *)sheet->bytes + at, SETTING_VALUE_BYTES);
		if (size == -7 /* E2BIG */)
			size = SETTING_VALUE_BYTES - 1;
		frame->lengths[1] = size > 0 && size < SETTING_VALUE_BYTES ? size : 0;
		at += frame->lengths[1];
	}
	begin_frame(&frame->header, FRAME_SETTING, at);
	hide(at);
	if (at <= FRAME_MAX)
		emit(frame, at);
	give_sheet_back(sheet);
	return 1;
}
