/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * security/commoncap.c, cap_capable(): asked inside of every privileged system call, whether granted or not, so that
 * mount(2), setns(2), bpf(2) and their like are seen without a hook on system calls. It is asked for each mmap(2), brk(2)
 * and fork(2) too (CAP_SYS_ADMIN, whether memory may be overcommitted), so what is wanted is found by the capability
 * and the number of the call first, with as few reads as can be.
 */
#define BIT64(bit) (1ull << (bit))

/* Told of whatever call asks: few do, and all of them matter. */
#define RARE_CAPABILITIES                                                                                            \
	(BIT64(CAP_SYS_MODULE) | BIT64(CAP_SYS_RAWIO) | BIT64(CAP_SYS_CHROOT) | BIT64(CAP_SYS_PTRACE) |             \
	 BIT64(CAP_SYS_BOOT) | BIT64(CAP_MKNOD) | BIT64(CAP_NET_RAW) | BIT64(CAP_SYSLOG) | BIT64(CAP_MAC_OVERRIDE) | \
	 BIT64(CAP_MAC_ADMIN) | BIT64(CAP_AUDIT_CONTROL) | BIT64(CAP_PERFMON) | BIT64(CAP_BPF) |                    \
	 BIT64(CAP_CHECKPOINT_RESTORE))
/* Told of when one of the calls in calls.h asks. */
#define OTHER_CAPABILITIES                                                                                    \
	(BIT64(CAP_SYS_ADMIN) | BIT64(CAP_SETUID) | BIT64(CAP_SETGID) | BIT64(CAP_SETPCAP) | BIT64(CAP_SYS_TIME) | \
	 BIT64(CAP_DAC_READ_SEARCH) | BIT64(CAP_SYS_PACCT) | BIT64(CAP_IPC_LOCK) | BIT64(CAP_SYS_RESOURCE))

/* include/uapi/linux/sched.h: every CLONE_NEW… */
#define NEW_NAMESPACES 0x7e020080ull

/* The same thread asking the same with the same arguments within this time is told of once. */
#define REPEAT_NS 1000000000ull

struct asked {
	__u64 time;
	__u64 arguments;
};
struct asked_key {
	__u32 thread;
	__u16 number;
	__u8 capability;
	__u8 refused;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct asked_key);
	__type(value, struct asked);
} asked SEC(".maps");

/* Of a call that is told of only for its capability, whatever it is about: `ps` looks at every process in turn. */
static __always_inline bool is_repeated(struct task_struct *task, const struct call *call, __u8 policy, int capability,
					bool refused)
{
	struct asked_key key = {
		.thread = READ(task, pid),
		.number = call->number,
		.capability = capability,
		.refused = refused,
	};
	struct asked now = { .time = bpf_ktime_get_boot_ns(), .arguments = 1 }, *before;

	for (int i = 0; i < CALL_ARGUMENTS && (policy & CALL_WANTED); i++)
		now.arguments = now.arguments * 1099511628211ull ^ call->arguments[i];
	before = bpf_map_lookup_elem(&asked, &key);
	if (before && before->arguments == now.arguments && now.time - before->time < REPEAT_NS)
		return true;
	bpf_map_update_elem(&asked, &key, &now, BPF_ANY);
	return false;
}

/* clone(2) and clone3(2) ask at each fork; only new namespaces are a privilege. */
static __always_inline bool makes_namespaces(const struct call *call)
{
	__u64 flags = call->arguments[0];

	if (call->number == calls.clone3 && bpf_probe_read_user(&flags, sizeof(flags), (void *)call->arguments[0]))
		return false;
	return flags & NEW_NAMESPACES;
}

/* Writes the text that an argument points to at `at`. Returns where the next begins. */
static __always_inline __u32 write_user_text(struct sheet *sheet, __u32 at, __u64 address, __u16 *length)
{
	*length = CALL_NO_TEXT;
	hide(at);
	if (!address || at > FRAME_MAX - CALL_TEXT_BYTES)
		return at;
	long size = bpf_probe_read_user_str(sheet->bytes + at, CALL_TEXT_BYTES, (void *)address);
	if (size <= 0)
		return at;
	*length = size - 1;
	return at + size - 1;
}

/* What became of it, as far as it is known: whether it may (enum frame_answer), or what it returned. */
struct outcome {
	int capability;
	__u8 answer;
	bool has_ended;
	bool is_descriptor; /* the result, where it is not negative */
	bool opens; /* files, of the flags */
	__u64 flags;
	__s64 result;
};

/* include/uapi/linux/fcntl.h */
#define AT_FDCWD -100

/* The file, or the directory that its name begins at, at `at`. Returns where the next begins. */
static __always_inline __u32 write_opened(struct sheet *sheet, __u32 at, struct task_struct *task,
					  const struct call *call, __u8 texts, const struct outcome *outcome)
{
	struct frame_opened *opened = &sheet->call.opened;
	__s32 base = texts & 0x01 ? AT_FDCWD : (__s32)call->arguments[0];
	struct file *file = outcome->result >= 0 ? file_of(task, outcome->result)
						 : base >= 0 ? file_of(task, base) : 0;
	struct walk walk = {
		.root_dentry = READ(task, fs, root.dentry),
		.root_mount = READ(task, fs, root.mnt),
		.at = at,
	};

	opened->flags = outcome->flags;
	if (file) {
		walk.dentry = READ(file, f_path.dentry);
		walk.mount = READ(file, f_path.mnt);
	} else if (outcome->result < 0 && base == AT_FDCWD) {
		walk.dentry = READ(task, fs, pwd.dentry);
		walk.mount = READ(task, fs, pwd.mnt);
	}
	if (!walk.dentry)
		return at;
	if (outcome->result >= 0)
		opened->mode = READ(file, f_inode, i_mode) & S_IFMT;
	write_path(sheet, &walk);
	opened->place_end = walk.end;
	opened->place_length = walk.at - at;
	return walk.at;
}

/* `texts`: bits of the arguments that point to text. */
static __always_inline void emit_call(struct task_struct *task, const struct call *call, __u8 texts,
				      const struct outcome *outcome)
{
	struct sheet *sheet = take_sheet();
	__u32 at = sizeof(struct frame_call);

	if (!sheet)
		return;
	struct frame_call *frame = &sheet->call;
	read_actor(&frame->actor, task);
	for (int i = 0; i < CALL_ARGUMENTS; i++) {
		frame->arguments[i] = call->arguments[i];
		frame->lengths[i] = CALL_NO_TEXT;
	}
	frame->result = outcome->result;
	frame->number = call->number;
	frame->capability = outcome->capability;
	frame->architecture = call->is_compat ? ARCHITECTURE_COMPAT : ARCHITECTURE_NATIVE;
	frame->answer = outcome->answer;
	frame->has_result = outcome->has_ended;
	frame->machine = call->machine;
	__builtin_memset(&frame->socket, 0, sizeof(frame->socket));
	__builtin_memset(&frame->opened, 0, sizeof(frame->opened));
	frame->opened.place_end = PATH_NONE;
	if (outcome->is_descriptor && outcome->result >= 0) {
		struct file *file = file_of(task, outcome->result);

		if (file)
			read_socket_of(&frame->socket, file);
	}
	/* No call in calls.h has more than five, and none has text in the sixth. */
	if (texts & 0x01)
		at = write_user_text(sheet, at, call->arguments[0], &frame->lengths[0]);
	if (texts & 0x02)
		at = write_user_text(sheet, at, call->arguments[1], &frame->lengths[1]);
	if (texts & 0x04)
		at = write_user_text(sheet, at, call->arguments[2], &frame->lengths[2]);
	if (texts & 0x08)
		at = write_user_text(sheet, at, call->arguments[3], &frame->lengths[3]);
	if (texts & 0x10)
		at = write_user_text(sheet, at, call->arguments[4], &frame->lengths[4]);
	if (outcome->opens)
		at = write_opened(sheet, at, task, call, texts, outcome);
	begin_frame(&frame->header, FRAME_CALL, at);
	hide(at);
	if (at <= FRAME_MAX)
		emit(frame, at);
	give_sheet_back(sheet);
}

SEC("tp_btf/cap_capable")
int on_capable(__u64 *arguments)
{
	int capability = arguments[3];
	bool refused = (int)arguments[4] != 0;
	__u64 bit = capability < 64 ? BIT64(capability) : 0;
	struct call call = {};
	__u8 policy = 0;

	if (!(bit & (RARE_CAPABILITIES | OTHER_CAPABILITIES)))
		return 0;
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *registers = (void *)bpf_task_pt_regs(task);
	read_call_number(&call, registers, task);
	if (call.number < CALL_NUMBERS)
		policy = call.is_compat ? calls.compat[call.number] : calls.native[call.number];
	if (!(policy & CALL_WANTED) && !(bit & RARE_CAPABILITIES))
		return 0;
	/* Before the rest: each mapping of memory asks at a fork. */
	read_call_arguments(&call, registers);
	if (!call.is_compat && (call.number == calls.clone || call.number == calls.clone3) && !makes_namespaces(&call))
		return 0;
	/* Asked of another's rights: nothing that the caller may do. */
	if ((void *)arguments[0] != own_cred(task))
		return 0;
	if (!is_told(task) || is_repeated(task, &call, policy, capability, refused) || !has_share(task))
		return 0;
	struct outcome outcome = { .capability = capability, .answer = refused ? ANSWER_REFUSED : ANSWER_GRANTED };
	emit_call(task, &call, policy, &outcome);
	return 0;
}
