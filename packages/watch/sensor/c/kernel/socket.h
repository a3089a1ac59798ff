/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef BULWARK_KERNEL_SOCKET_H
#define BULWARK_KERNEL_SOCKET_H

static __always_inline void read_socket(struct frame_socket *out, const struct sock *sk)
{
	const struct sock_common *common = &sk->__sk_common;

	out->family = READ(common, skc_family);
	out->state = READ(common, skc_state);
	if (out->family != AF_INET && out->family != AF_INET6)
		return;
	out->local_port = READ(common, skc_num);
	out->remote_port = __builtin_bswap16(READ(common, skc_dport));
	if (out->family == AF_INET) {
		bpf_core_read(out->local, 4, &common->skc_rcv_saddr);
		bpf_core_read(out->remote, 4, &common->skc_daddr);
	} else {
		bpf_core_read(out->local, 16, &common->skc_v6_rcv_saddr);
		bpf_core_read(out->remote, 16, &common->skc_v6_daddr);
	}
}

/* Of a descriptor's file; left alone where it is no socket. */
static __always_inline void read_socket_of(struct frame_socket *out, struct file *file)
{
	struct inode *inode = READ(file, f_inode);

	if ((READ(inode, i_mode) & S_IFMT) != S_IFSOCK)
		return;
	struct socket *socket = READ(file, private_data);
	struct sock *sk = READ(socket, sk);
	if (sk)
		read_socket(out, sk);
}

/* 0: it is not open. */
static __always_inline struct file *file_of(struct task_struct *task, __u32 descriptor)
{
	struct fdtable *table = READ(task, files, fdt);
	struct file **files = READ(table, fd), *file = 0;

	if (descriptor < READ(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), files + descriptor);
	return file;
}

#endif
