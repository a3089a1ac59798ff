/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A process as a frame: what exec, fork and snapshot have in common. */
#ifndef BULWARK_KERNEL_PROCESS_H
#define BULWARK_KERNEL_PROCESS_H

#define ARGUMENT_BYTES 4096
#define FILENAME_BYTES 1024
#define LOGIN_UID_UNSET 0xffffffffu

static __always_inline void read_identity(struct frame_process *frame, struct task_struct *task)
{
	struct task_struct *parent = READ(task, real_parent);
	const struct cred *cred = own_cred(task);
	struct upid *innermost = innermost_pid(task);

	frame->pid = process_number(task);
	frame->start_time = READ(task, group_leader, start_boottime);
	/* The parent may be a thread: its process is meant. */
	frame->parent_pid = process_number(parent);
	frame->parent_start_time = READ(parent, group_leader, start_boottime);
	frame->container_pid = READ(innermost, nr);
	frame->pid_namespace = READ(innermost, ns, ns.inum);
	frame->mount_namespace = mount_namespace(task);
	frame->network_namespace = READ(task, nsproxy, net_ns, ns.inum);
	frame->uid = READ(cred, uid.val);
	frame->gid = READ(cred, gid.val);
	frame->effective_uid = READ(cred, euid.val);
	frame->saved_uid = READ(cred, suid.val);
	frame->login_uid = LOGIN_UID_UNSET;
	if (bpf_core_field_exists(task->loginuid)) /* CONFIG_AUDIT */
		frame->login_uid = READ(task, loginuid.val);
	frame->user_namespace = READ(cred, user_ns, ns.inum);
	frame->cgroup_namespace = READ(task, nsproxy, cgroup_ns, ns.inum);
	frame->capabilities = frame->permitted = frame->inheritable = 0;
	bpf_core_read(&frame->capabilities, sizeof(frame->capabilities), &cred->cap_effective);
	bpf_core_read(&frame->permitted, sizeof(frame->permitted), &cred->cap_permitted);
	bpf_core_read(&frame->inheritable, sizeof(frame->inheritable), &cred->cap_inheritable);
	frame->flags = has_kernel_parent(task) ? FLAG_KERNEL_PARENT : 0;
	frame->clone_flags = 0;
}

/* Session, process group and controlling terminal. */
static __always_inline void read_session(struct frame_process *frame, struct task_struct *task)
{
	struct signal_struct *signal = READ(task, signal);
	struct tty_struct *terminal = READ(signal, tty);

	frame->process_group = number_of(READ(signal, pids[PIDTYPE_PGID___probe]));
	frame->session = number_of(READ(signal, pids[PIDTYPE_SID___probe]));
	frame->terminal = 0;
	if (terminal) {
		struct tty_driver *driver = READ(terminal, driver);

		frame->terminal = READ(driver, major) << 20 |
				  (READ(driver, minor_start) + READ(terminal, index));
	}
}

/* Descriptors 0 to 2: a shell whose input is a socket shows here, without any hook on dup2(2). */
static __always_inline void read_stdio(struct frame_process *frame, struct task_struct *task)
{
	struct fdtable *table = READ(task, files, fdt);
	__u32 open = READ(table, max_fds);
	struct file **files = READ(table, fd);

	__builtin_memset(frame->stdio, 0, sizeof(frame->stdio));
	for (__u32 i = 0; i < 3; i++) {
		struct frame_descriptor *out = &frame->stdio[i];
		struct file *file = 0;

		if (i >= open)
			break;
		bpf_probe_read_kernel(&file, sizeof(file), files + i);
		if (!file)
			continue;
		struct inode *inode = READ(file, f_inode);
		out->mode = READ(inode, i_mode) & S_IFMT;
		out->inode = READ(inode, i_ino);
		out->device = READ(inode, i_rdev);
		read_socket_of(&out->socket, file);
	}
}

/*
 * Which layer of an overlay the file is of. struct ovl_inode embeds the inode that others see and right after it points
 * to the dentry in the upper layer, where there is one: fs/overlayfs/ovl_entry.h, the same since 4.8. (Its type may be in
 * a module's BTF, which need not be there; the size of struct inode is in the kernel's.)
 */
static __always_inline __u8 origin_of(struct file *file, const struct walk *walk, const __u8 *name)
{
	struct inode *inode = READ(file, f_inode);
	void *upper = 0;

	if (!inode)
		return ORIGIN_UNKNOWN;
	if (READ(inode, i_sb, s_magic) == OVERLAYFS_SUPER_MAGIC) {
		if (bpf_probe_read_kernel(&upper, sizeof(upper), (void *)inode + bpf_core_type_size(struct inode)))
			return ORIGIN_UNKNOWN;
		return upper ? ORIGIN_UPPER : ORIGIN_LOWER;
	}
	/* mm/memfd.c: a name of its own, in no directory, never linked */
	if (walk->end == PATH_NAME && READ(inode, i_nlink) == 0 && name[0] == 'm' && name[1] == 'e' &&
	    name[2] == 'm' && name[3] == 'f' && name[4] == 'd' && name[5] == ':')
		return ORIGIN_MEMORY;
	return ORIGIN_PLAIN;
}

static __always_inline __u32 write_executable(struct sheet *sheet, __u32 at, struct task_struct *task)
{
	struct frame_process *frame = &sheet->process;
	struct file *file = READ(task, mm, exe_file);
	struct walk walk = {
		.dentry = READ(file, f_path.dentry),
		.mount = READ(file, f_path.mnt),
		.root_dentry = READ(task, fs, root.dentry),
		.root_mount = READ(task, fs, root.mnt),
		.at = at,
	};

	if (!walk.dentry)
		return at;
	struct inode *inode = READ(file, f_inode);
	frame->executable_inode = READ(inode, i_ino);
	frame->executable_mode = READ(inode, i_mode);
	frame->executable_uid = READ(inode, i_uid.val);
	write_path(sheet, &walk);
	frame->executable_end = walk.end;
	hide(at);
	if (at <= FRAME_MAX - NAME_BYTES)
		frame->origin = origin_of(file, &walk, sheet->bytes + at);
	if (frame->origin != ORIGIN_MEMORY && READ(inode, i_nlink) == 0)
		frame->flags |= FLAG_DELETED;
	return walk.at;
}

static __always_inline __u32 write_directory(struct sheet *sheet, __u32 at, struct task_struct *task)
{
	struct walk walk = {
		.dentry = READ(task, fs, pwd.dentry),
		.mount = READ(task, fs, pwd.mnt),
		.root_dentry = READ(task, fs, root.dentry),
		.root_mount = READ(task, fs, root.mnt),
		.at = at,
	};

	if (!walk.dentry)
		return at;
	write_path(sheet, &walk);
	sheet->process.directory_end = walk.end;
	return walk.at;
}

static __always_inline __u32 write_cgroup_path(struct sheet *sheet, __u32 at, struct cgroup *cgroup)
{
	struct climb climb = { .node = READ(cgroup, kn), .at = at };

	if (cgroup)
		write_cgroup(sheet, &climb);
	return climb.at;
}

/* Where the arguments or the environment are in the memory of the process, and their number of bytes, cut to the bound. */
struct stretch {
	const void *start;
	__u32 size;
};

static __always_inline struct stretch stretch_of(struct frame_process *frame, struct task_struct *task, bool environment)
{
	struct mm_struct *mm = READ(task, mm);
	__u64 from = environment ? READ(mm, env_start) : READ(mm, arg_start);
	__u64 size = (environment ? READ(mm, env_end) : READ(mm, arg_end)) - from;

	if (size > ARGUMENT_BYTES) {
		frame->flags |= environment ? FLAG_ENVIRONMENT_CUT : FLAG_ARGUMENTS_CUT;
		size = ARGUMENT_BYTES;
	}
	return (struct stretch){ (const void *)from, size };
}

/*
 * Writes it at `at`. Of any other task than the one that runs now, or a child that has its memory, only a program that may
 * sleep can do it, and only since 5.18.
 */
static __always_inline __u32 write_words(struct sheet *sheet, __u32 at, struct task_struct *task, bool environment,
					 bool foreign)
{
	struct stretch from = stretch_of(&sheet->process, task, environment);
	__u32 size = from.size;
	bool failed = true;

	hide(at);
	hide(size);
	if (size == 0 || size > ARGUMENT_BYTES || at > FRAME_MAX - ARGUMENT_BYTES)
		return at;
	if (!foreign)
		failed = bpf_probe_read_user(sheet->bytes + at, size, from.start) != 0;
	else if (bpf_core_enum_value_exists(enum bpf_func_id___probe, BPF_FUNC_copy_from_user_task___probe))
		failed = bpf_copy_from_user_task(sheet->bytes + at, size, from.start, task, 0) != 0;
	if (!failed)
		return at + size;
	sheet->process.flags |= environment ? FLAG_ENVIRONMENT_CUT : FLAG_ARGUMENTS_CUT;
	count_loss(LOSS_UNREADABLE);
	return at;
}

static __always_inline __u32 write_filename(struct sheet *sheet, __u32 at, const char *filename)
{
	hide(at);
	if (!filename || at > FRAME_MAX - FILENAME_BYTES)
		return at;
	long size = bpf_probe_read_kernel_str(sheet->bytes + at, FILENAME_BYTES, filename);
	if (size <= 0) {
		count_loss(LOSS_UNREADABLE);
		return at;
	}
	return at + size - 1;
}

/* fs/binfmt_script.c: of a script `interp` is another program than `filename`. */
static __always_inline const char *interpreter_of(struct linux_binprm *bprm)
{
	const char *interpreter = READ(bprm, interp);

	return interpreter == READ(bprm, filename) ? 0 : interpreter;
}

/*
 * Puts the frame of a task together and sends it. `bprm` is that of an exec; `foreign`: the task is not the one that runs;
 * `copied`: its arguments, executable and directory are not told again.
 */
static __always_inline void emit_process(__u16 type, struct task_struct *task, struct linux_binprm *bprm, bool foreign,
					 __u64 clone_flags, bool copied)
{
	struct sheet *sheet = take_sheet();
	__u32 at = sizeof(struct frame_process), start = at;
	struct css_set *set;
	struct cgroup *v2;
	long size;

	if (!sheet)
		return;
	struct frame_process *frame = &sheet->process;
	read_identity(frame, task);
	read_session(frame, task);
	read_stdio(frame, task);
	frame->clone_flags = clone_flags;
	frame->executable_end = frame->directory_end = PATH_NONE;
	frame->origin = ORIGIN_UNKNOWN;
	frame->executable_inode = 0;
	frame->executable_mode = frame->executable_uid = 0;
	if (bprm && BPF_CORE_READ_BITFIELD_PROBED(bprm, secureexec))
		frame->flags |= FLAG_GAINS_RIGHTS;
	frame->reserved = 0;

#define TEXT(field, next)                        \
	do {                                     \
		start = at;                      \
		at = next;                       \
		frame->lengths[field] = at - start; \
	} while (0)

	size = bpf_probe_read_kernel_str(sheet->bytes + at, sizeof(task->comm), &task->comm);
	TEXT(TEXT_NAME, size > 0 ? at + size - 1 : at);
	TEXT(TEXT_FILENAME, write_filename(sheet, at, bprm ? READ(bprm, filename) : 0));
	TEXT(TEXT_INTERPRETER, write_filename(sheet, at, bprm ? interpreter_of(bprm) : 0));
	TEXT(TEXT_ARGUMENTS, copied ? at : write_words(sheet, at, task, false, foreign));
	TEXT(TEXT_EXECUTABLE, copied ? at : write_executable(sheet, at, task));
	TEXT(TEXT_DIRECTORY, copied ? at : write_directory(sheet, at, task));
	set = READ(task, cgroups);
	v2 = READ(set, dfl_cgrp);
	TEXT(TEXT_CGROUP2, write_cgroup_path(sheet, at, v2));
	TEXT(TEXT_CGROUP1, write_cgroup_path(sheet, at, deepest_v1_cgroup(set, v2)));
	TEXT(TEXT_ENVIRONMENT,
	     settings.tells_environment && type != FRAME_FORK ? write_words(sheet, at, task, true, foreign) : at);
#undef TEXT

	begin_frame(&frame->header, type, at);
	hide(at);
	if (at <= FRAME_MAX)
		emit(frame, at);
	give_sheet_back(sheet);
}

#endif
