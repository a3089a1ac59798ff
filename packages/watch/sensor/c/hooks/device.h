/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * include/linux/device_cgroup.h, devcgroup_check_permission(): each mknod(2) and open of a device node, before the
 * container's own list is asked; a raw mount(2) of a disk opens it too. Returns 1: allowed, as far as we are asked.
 */
static __always_inline bool is_ordinary_device(__u32 major, __u32 minor)
{
	switch (major) {
	case 1: /* null, zero, full, random, urandom; not mem, port, kmsg */
		return minor == 3 || minor == 5 || minor == 7 || minor == 8 || minor == 9;
	case 5: /* tty, console, ptmx */
		return minor <= 2;
	}
	return major >= 136 && major <= 143; /* pts */
}

SEC("cgroup/dev")
int on_device(struct bpf_cgroup_dev_ctx *context)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 major = context->major, minor = context->minor;
	__u16 kind = context->access_type & 0xffff, access = context->access_type >> 16;

	if (kind == DEVICE_CHARACTER && is_ordinary_device(major, minor))
		return 1;
	if (!is_told(task) || !has_share(task))
		return 1;
	struct frame_device frame = { .major = major, .minor = minor, .kind = kind, .access = access };
	read_actor(&frame.actor, task);
	begin_frame(&frame.header, FRAME_DEVICE, sizeof(frame));
	emit(&frame, sizeof(frame));
	return 1;
}
