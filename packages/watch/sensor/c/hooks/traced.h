/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls that ask for no right, or not always, and so pass no hook that costs nothing elsewhere. A single program here, whatever it
 * does, takes every system call of the machine through the slow path: it is loaded only where a rule needs such a call.
 */

/* include/uapi/linux/fcntl.h */
#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030
/* include/uapi/asm-generic/mman-common.h */
#define PROT_WRITE 0x2
#define PROT_EXEC 0x4
#define MAP_ANONYMOUS 0x20
/* include/uapi/asm-generic/fcntl.h */
#define O_TRUNC 01000
/* include/uapi/asm-generic/errno-base.h */
#define EPERM 1
#define EACCES 13

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

/* A global function: the verifier looks at the loop once. Whether the text of so many bytes at `at` has a name `..`. */
__attribute__((noinline)) int goes_up(struct sheet *sheet, __u32 at, __u32 length)
{
	__u8 before = '/', last = '/';

	if (!sheet || at > FRAME_MAX - CALL_TEXT_BYTES)
		return 0;
	for (__u32 i = 0; i < CALL_TEXT_BYTES; i++) {
		__u8 next = i < length ? sheet->bytes[at + i] : '/';

		/* Of three: what is before the first of them is a slash, or nothing. */
		if (next == '/' && last == '.' && before == '.' &&
		    (i == 2 || (i > 2 && sheet->bytes[at + i - 3] == '/')))
			return 1;
		if (i >= length)
			return 0;
		before = last;
		last = next;
	}
	return 0;
}

static __always_inline bool names_above(__u64 path)
{
	struct sheet *sheet = take_sheet();
	__u32 at = sizeof(struct frame_call);
	__u16 length = 0;
	bool found;

	if (!sheet)
		return false;
	write_user_text(sheet, at, path, &length);
	found = length != CALL_NO_TEXT && goes_up(sheet, at, length);
	give_sheet_back(sheet);
	return found;
}

static __always_inline bool is_regular(struct task_struct *task, __s64 descriptor)
{
	struct file *file = file_of(task, descriptor);

	return (READ(file, f_inode, i_mode) & S_IFMT) == S_IFREG;
}

/* Emptied, refused, or by a path that goes up: what the hooks of files cannot tell. */
static __always_inline bool is_open_told(struct task_struct *task, const struct call *call, __u8 policy, __u64 *flags,
					 __s64 result)
{
	bool is_plain = policy & 0x01, has_how = (policy & ~TRACE_TEXTS) == TRACE_OPEN_HOW;

	*flags = is_plain ? call->arguments[1] : call->arguments[2];
	if (has_how && bpf_probe_read_user(flags, sizeof(*flags), (void *)call->arguments[2]))
		*flags = 0;
	return (result >= 0 && *flags & O_TRUNC && is_regular(task, result)) || result == -EACCES || result == -EPERM ||
	       names_above(is_plain ? call->arguments[0] : call->arguments[1]);
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
	bool opens = kind == TRACE_OPEN || kind == TRACE_OPEN_HOW;
	__u64 flags = 0;

	if ((!opens && !is_of_kind(kind, &call, result)) || !is_told(task) ||
	    (opens && !is_open_told(task, &call, policy, &flags, result)) || !has_share(task))
		return 0;
	struct outcome outcome = {
		.capability = -1,
		.answer = ANSWER_NOT_ASKED,
		.has_ended = true,
		.is_descriptor = kind == TRACE_STREAM || kind == TRACE_DUPLICATE,
		.opens = opens,
		.flags = flags,
		.result = result,
	};
	emit_call(task, &call, policy & TRACE_TEXTS, &outcome);
	return 0;
}
