/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Number and arguments of the system call that the running task is in. */
#ifndef BULWARK_KERNEL_REGISTERS_H
#define BULWARK_KERNEL_REGISTERS_H

enum machine { MACHINE_UNKNOWN = 0, MACHINE_X86_64 = 1, MACHINE_ARM64 = 2 };

struct call {
	__u64 arguments[CALL_ARGUMENTS];
	__u32 number;
	__u8 machine;
	bool is_compat;
};

/* arch/x86/include/asm/thread_info.h; x32 programs mark their numbers with a bit of their own. */
#define TS_COMPAT 2
#define X32_BIT 0x40000000u

static __always_inline bool is_compat(struct task_struct *task)
{
	struct task_struct___x86 *x86 = (void *)task;

	return bpf_core_field_exists(x86->thread_info.status) && (READ(x86, thread_info.status) & TS_COMPAT);
}

/* Only the number: the arguments cost six more reads. */
static __always_inline void read_call_number(struct call *call, struct pt_regs *registers, struct task_struct *task)
{
	struct pt_regs___x86 *x86 = (void *)registers;
	struct pt_regs___arm64 *arm64 = (void *)registers;

	call->is_compat = is_compat(task);
	if (bpf_core_field_exists(x86->orig_ax)) {
		call->machine = MACHINE_X86_64;
		call->number = (__u32)READ(x86, orig_ax) & ~X32_BIT;
	} else if (bpf_core_field_exists(arm64->syscallno)) {
		call->machine = MACHINE_ARM64;
		call->number = (__u32)READ(arm64, syscallno);
	}
}

static __always_inline void read_call_arguments(struct call *call, struct pt_regs *registers)
{
	struct pt_regs___x86 *x86 = (void *)registers;
	struct pt_regs___arm64 *arm64 = (void *)registers;

	/* The verifier takes out what is of another machine by these tests, not by call->machine. */
	if (bpf_core_field_exists(x86->orig_ax) && call->is_compat) {
		call->arguments[0] = (__u32)READ(x86, bx);
		call->arguments[1] = (__u32)READ(x86, cx);
		call->arguments[2] = (__u32)READ(x86, dx);
		call->arguments[3] = (__u32)READ(x86, si);
		call->arguments[4] = (__u32)READ(x86, di);
		call->arguments[5] = (__u32)READ(x86, bp);
	} else if (bpf_core_field_exists(x86->orig_ax)) {
		call->arguments[0] = READ(x86, di);
		call->arguments[1] = READ(x86, si);
		call->arguments[2] = READ(x86, dx);
		call->arguments[3] = READ(x86, r10);
		call->arguments[4] = READ(x86, r8);
		call->arguments[5] = READ(x86, r9);
	} else if (bpf_core_field_exists(arm64->syscallno)) {
		call->arguments[0] = READ(arm64, orig_x0);
		bpf_core_read(&call->arguments[1], 5 * sizeof(__u64), &arm64->regs[1]);
	}
}

#endif
