/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is made, linked or renamed into a container's /dev. A fanotify mark anywhere on that file system would make each read
 * and write of its devices dearer (`dd` from /dev/zero to /dev/null: 6 %). So it is seen by what no read or write of a
 * device does: the directory gets another time of change (fs/inode.c, inode_set_ctime_current(); its tracepoints are there
 * since Linux 6.13). mm/shmem.c sets it between the making of the name and its getting a file: the name without a file is
 * the one that comes to be.
 */
static __always_inline bool is_call(const struct call *call, __u32 either, __u32 other)
{
	return !call->is_compat && (call->number == either || call->number == other);
}

/*
 * The directory that gets a name. Of a file that is linked only its own time is set by the function above: its new name is
 * looked for in /dev itself, and not further below.
 */
static __always_inline struct dentry *changed_directory(struct inode *inode, const struct call *call)
{
	struct hlist_node *name = READ(inode, i_dentry.first);

	/* Being made: its directory's turn comes. */
	if (!name)
		return 0;
	if ((READ(inode, i_mode) & S_IFMT) == S_IFDIR)
		return (void *)name - bpf_core_field_offset(struct dentry, d_u.d_alias);
	return is_call(call, calls.link, calls.linkat) ? READ(inode, i_sb, s_root) : 0;
}

/* The newest name in a directory comes first (fs/dcache.c, d_alloc()). 0: it has a file already. */
static __always_inline struct dentry *name_without_file(struct dentry *directory)
{
	struct hlist_node *first = directory ? READ(directory, d_children.first) : 0;
	struct dentry *name;

	if (!first)
		return 0;
	name = (void *)first - bpf_core_field_offset(struct dentry, d_sib);
	return READ(name, d_inode) ? 0 : name;
}

static __always_inline int tell_device_file(struct inode *inode)
{
	struct super_block *system = READ(inode, i_sb);
	struct left_system *told = left_system_of(system);
	struct task_struct *task;
	struct call call = {};
	struct dentry *name;

	if (!told || !told->devices || told->identity != identity_of(system))
		return 0;
	task = bpf_get_current_task_btf();
	read_call_number(&call, (void *)bpf_task_pt_regs(task), task);
	name = name_without_file(changed_directory(inode, &call));
	if (!name || !is_told(task) || !has_share(task))
		return 0;
	emit_left_file(task, told, name, FILE_CREATE, is_call(&call, calls.mkdir, calls.mkdirat) ? FILE_IS_DIRECTORY : 0);
	return 0;
}

SEC("tp_btf/ctime_ns_xchg")
int on_device_file(__u64 *arguments)
{
	return tell_device_file((void *)arguments[0]);
}

/* The same, where it changed in the same tick already. */
SEC("tp_btf/ctime_xchg_skip")
int on_device_file_again(__u64 *arguments)
{
	return tell_device_file((void *)arguments[0]);
}
