/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where frames are put together, and how they leave. */
#ifndef BULWARK_KERNEL_EMIT_H
#define BULWARK_KERNEL_EMIT_H

enum loss_cause { LOSS_RING, LOSS_UNREADABLE, LOSS_LIMITED, LOSS_FLOWS };

static __always_inline void count_loss(enum loss_cause cause)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct cpu_loss *loss = bpf_map_lookup_elem(&losses, &cpu);

	if (!loss)
		return;
	if (cause == LOSS_RING)
		__sync_fetch_and_add(&loss->ring, 1);
	else if (cause == LOSS_UNREADABLE)
		__sync_fetch_and_add(&loss->unreadable, 1);
	else if (cause == LOSS_LIMITED)
		__sync_fetch_and_add(&loss->limited, 1);
	else
		__sync_fetch_and_add(&loss->flows, 1);
}

/*
 * Frames of processes are too large for the stack and too different in length to be reserved in the ring. A program at
 * a tracepoint can be preempted by another one on the same CPU, and not always in the order of a stack, so each takes a
 * sheet that is free and marks it as taken.
 */
struct sheet {
	__u64 taken;
	union {
		struct frame_process process;
		struct frame_call call;
		struct frame_setting setting;
		struct frame_file file;
		struct frame_socket_event socket;
		struct frame_dns dns;
		struct frame_opening opening;
		__u8 bytes[FRAME_MAX];
	};
};
#define SHEETS 4
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SHEETS);
	__type(key, __u32);
	__type(value, struct sheet);
} sheets SEC(".maps");

static __always_inline struct sheet *take_sheet(void)
{
	for (__u32 i = 0; i < SHEETS; i++) {
		__u32 key = i;
		struct sheet *sheet = bpf_map_lookup_elem(&sheets, &key);

		if (sheet && __sync_val_compare_and_swap(&sheet->taken, 0, 1) == 0)
			return sheet;
	}
	count_loss(LOSS_RING);
	return 0;
}

static __always_inline void give_sheet_back(struct sheet *sheet)
{
	__sync_lock_test_and_set(&sheet->taken, 0);
}

static __always_inline void begin_frame(struct frame_header *header, __u16 type, __u32 length)
{
	header->magic = FRAME_MAGIC;
	header->version = FRAME_VERSION;
	header->type = type;
	header->length = length;
	header->reserved = 0;
	header->sequence = 0; /* the loader numbers what it passes on */
	header->time = bpf_ktime_get_boot_ns();
}

/*
 * Wakes the reader only where nothing happened for a while. Else he comes by himself every few milliseconds: waking him for
 * each event costs the traced process more than all the rest, and on a busy machine leaves him no time to read.
 */
static __always_inline void emit(void *frame, __u32 length)
{
	__u32 zero = 0;
	struct reader *who = bpf_map_lookup_elem(&reader, &zero);

	if (bpf_ringbuf_output(&ring, frame, length, BPF_RB_NO_WAKEUP) < 0)
		count_loss(LOSS_RING);
	/* After it: then either he has seen the frame before he slept, or we see that he sleeps. */
	if (!who || !*(volatile __u32 *)&who->sleeps || !__sync_lock_test_and_set(&who->sleeps, 0))
		return;
	void *nothing = bpf_ringbuf_reserve(&ring, sizeof(__u64), 0);
	if (nothing)
		bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

#endif
