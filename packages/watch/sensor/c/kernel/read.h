/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * READ(pointer, a, b, c) is what pointer->a->b->c holds, and zero where that cannot be read: as BPF_CORE_READ(), which calls
 * bpf_probe_read_kernel() for each arrow. That takes some forty nanoseconds, and an exec is told with a hundred of them. Since
 * Linux 6.2 the verifier lets any address be taken for a structure that may be looked at (bpf_rdonly_cast()), so that an arrow
 * is one load. The kernel side is compiled once with these casts and once without, because a kernel older than 5.16 takes no
 * program that calls what it does not have, wherever in it the call is (../load.c).
 *
 * The casts are needed also where the verifier knows the type of a pointer: from what it trusts it looks, for each arrow,
 * through all the names of the kernel's types, and would take seconds for the programs here.
 */
#ifndef BULWARK_KERNEL_READ_H
#define BULWARK_KERNEL_READ_H

#ifdef WITH_CASTS

extern void *bpf_rdonly_cast(const void *address, __u32 type) __attribute__((section(".ksyms")));

#define READ(pointer, ...)                                                                                    \
	({                                                                                                    \
		__typeof__(pointer) read_from = bpf_rdonly_cast(pointer, bpf_core_type_id_kernel(__typeof__(*(pointer)))); \
		read_from->READ_ARROWS(__VA_ARGS__);                                                             \
	})
#define READ_ARROWS(...) READ_PICK(__VA_ARGS__, READ_4, READ_3, READ_2, READ_1, )(__VA_ARGS__)
#define READ_PICK(a, b, c, d, which, ...) which
#define READ_1(a) a
#define READ_2(a, b) a->b
#define READ_3(a, b, c) a->b->c
#define READ_4(a, b, c, d) a->b->c->d

#else
#define READ BPF_CORE_READ
#endif

#endif
