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

#endif
