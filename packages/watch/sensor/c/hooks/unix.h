/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * net/unix/af_unix.c, unix_stream_connect(): a Unix socket by the name that connect(2) was given. Since Linux 6.7. What
 * is listened on is told by the name as well; a socket that is bound to another name inside of a container goes by that.
 */
extern void *bpf_cast_to_kern_ctx(void *) __ksym;

SEC("cgroup/connect_unix")
int on_connect_unix(struct bpf_sock_addr *context)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct bpf_sock_addr_kern *kernel = bpf_cast_to_kern_ctx(context);
	struct sheet *sheet;
	__u32 at = sizeof(struct frame_socket_event), size;

	if (!is_told(task) || !has_share(task))
		return 1;
	sheet = take_sheet();
	if (!sheet)
		return 1;
	struct frame_socket_event *frame = &sheet->socket;
	__builtin_memset(frame, 0, sizeof(*frame));
	read_actor(&frame->actor, task);
	frame->operation = SOCKET_CONNECT;
	frame->socket.family = AF_UNIX;
	frame->kind = SOCK_STREAM;
	size = READ(kernel, uaddrlen);
	size = size > 2 ? size - 2 : 0;
	if (size > UNIX_PATH_BYTES)
		size = UNIX_PATH_BYTES;
	if (size > 0 && bpf_probe_read_kernel(sheet->bytes + at, size, (char *)READ(kernel, uaddr) + 2) == 0) {
		frame->path_length = size;
		at += size;
	}
	begin_frame(&frame->header, FRAME_SOCKET, at);
	hide(at);
	if (at <= FRAME_MAX)
		emit(frame, at);
	give_sheet_back(sheet);
	return 1;
}
