/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls that ask for no right, and so pass no hook that costs nothing elsewhere. A single program here, whatever it
 * does, takes every system call of the machine through the slow path: it is loaded only where a rule needs such a call.
 */

/* include/uapi/linux/fcntl.h */
#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030
/* include/uapi/asm-generic/mman-common.h */
#define PROT_WRITE 0x2
#define PROT_EXEC 0x4
#define MAP_ANONYMOUS 0x20

static __always_inline bool is_stream(__s64 result)
{
	return result >= 0 && result <= 2;
}

static __always_inline bool is_of_kind(__u8 kind, const struct call *call, __s64 result)
{
	__u64 protection = call->arguments[2];

	switch (kind) {
	case TRACE_STREAM:
		return is_stream(result);
	case TRACE_DUPLICATE:
		return is_stream(result) && (call->arguments[1] == F_DUPFD || call->arguments[1] == F_DUPFD_CLOEXEC);
	case TRACE_MAPPING:
		return (protection & PROT_EXEC) && (protection & PROT_WRITE || call->arguments[3] & MAP_ANONYMOUS);
	case TRACE_PROTECTION:
		return protection & PROT_EXEC;
	}
	return kind == TRACE_ALL;
}

SEC("tp_btf/sys_exit")
int on_call_end(__u64 *arguments)
{
	struct pt_regs *registers = (void *)arguments[0];
	struct task_struct *task = bpf_get_current_task_btf();
	__s64 result = arguments[1];
	struct call call = {};
	__u8 policy;

	read_call_number(&call, registers, task);
	if (call.number >= CALL_NUMBERS)
		return 0;
	policy = call.is_compat ? traced.compat[call.number] : traced.native[call.number];
	if (!policy)
		return 0;
	read_call_arguments(&call, registers);
	__u8 kind = policy & ~TRACE_TEXTS;
	if (!is_of_kind(kind, &call, result) || !is_told(task) || !has_share(task))
		return 0;
	struct outcome outcome = {
		.capability = -1,
		.answer = ANSWER_NOT_ASKED,
		.has_ended = true,
		.is_descriptor = kind == TRACE_STREAM || kind == TRACE_DUPLICATE,
		.result = result,
	};
	emit_call(task, &call, policy & TRACE_TEXTS, &outcome);
	return 0;
}
