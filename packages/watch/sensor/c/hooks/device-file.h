/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is made, linked or renamed into a container's /dev. A fanotify mark anywhere on that file system would make each read
 * and write of its devices dearer (`dd` from /dev/zero to /dev/null: 6 %). So it is seen by what no read or write of a
 * device does: the directory gets another time of change (fs/inode.c, inode_set_ctime_current(); its tracepoints are there
 * since Linux 6.13). mm/shmem.c sets it between the making of the name and its getting a file: the name without a file is
 * the one that comes to be.
 */
#define DEVICE_FILE_DEPTH 16

/* fs/statfs.c and include/linux/statfs.h, uuid_to_fsid(): a number of a device is soon another's, this is not. */
static __always_inline __u64 file_system_of(struct super_block *system)
{
	__u64 uuid[2] = {};

	bpf_core_read(uuid, sizeof(uuid), &system->s_uuid);
	return uuid[0] ^ uuid[1];
}

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

/* No padding: see struct walk. */
struct device_path {
	struct dentry *name;
	__u64 root; /* inode of /dev */
	__u64 at; /* where the path goes, then where it ends; 0: it is not below /dev, or too deep */
};

/* Writes it from the root to the leaf. Global for the reason told at write_path(). */
__attribute__((noinline)) int write_device_path(struct sheet *sheet, struct device_path *path)
{
	struct dentry *names[DEVICE_FILE_DEPTH] = {}, *name;
	int depth = 0;

	if (!sheet || !path)
		return 0;
	name = path->name;
	for (; depth < DEVICE_FILE_DEPTH; depth++) {
		struct dentry *parent = READ(name, d_parent);

		if (READ(name, d_inode, i_ino) == path->root && depth > 0)
			break;
		names[depth] = name;
		if (depth == DEVICE_FILE_DEPTH - 1)
			count_loss(LOSS_UNREADABLE);
		/* Another part of the file system, which is mounted elsewhere. */
		if (parent == name || depth == DEVICE_FILE_DEPTH - 1) {
			path->at = 0;
			return 0;
		}
		name = parent;
	}
	for (int i = DEVICE_FILE_DEPTH - 1; i >= 0; i--) {
		if (!names[i])
			continue;
		__u64 at = path->at;
		hide(at);
		if (at > FRAME_MAX - NAME_BYTES - 1) {
			path->at = 0;
			return 0;
		}
		sheet->bytes[at] = '/';
		__u32 size = write_name(sheet, at + 1, READ(names[i], d_name.name));
		/* Its NUL is where the next begins. */
		path->at = size ? at + size : 0;
		if (!size)
			return 0;
	}
	return 0;
}

static __always_inline int tell_device_file(struct inode *inode)
{
	struct super_block *system = READ(inode, i_sb);
	__u32 key = READ(system, s_dev) % DEVICE_FILES;
	struct device_files *told = bpf_map_lookup_elem(&device_files, &key);
	struct task_struct *task;
	struct call call = {};
	struct dentry *name;
	struct sheet *sheet;

	if (!told || !told->file_system || told->file_system != file_system_of(system))
		return 0;
	task = bpf_get_current_task_btf();
	read_call_number(&call, (void *)bpf_task_pt_regs(task), task);
	name = name_without_file(changed_directory(inode, &call));
	if (!name || !is_told(task) || !has_share(task))
		return 0;
	sheet = take_sheet();
	if (!sheet)
		return 0;
	struct frame_file *frame = &sheet->file;
	struct device_path path = { .name = name, .root = told->root, .at = sizeof(*frame) + 4 };

	read_actor(&frame->actor, task);
	frame->operation = FILE_CREATE;
	frame->flags = is_call(&call, calls.mkdir, calls.mkdirat) ? FILE_IS_DIRECTORY : 0;
	if (told->mount_namespace && told->mount_namespace != frame->actor.mount_namespace) {
		frame->flags |= FILE_THROUGH_NAMESPACE;
		frame->actor.mount_namespace = told->mount_namespace;
	}
	frame->inode = 0;
	frame->reserved = 0;
	__builtin_memcpy(sheet->bytes + sizeof(*frame), "/dev", 4);
	write_device_path(sheet, &path);
	if (path.at) {
		frame->lengths[0] = path.at - sizeof(*frame);
		frame->lengths[1] = 0;
		begin_frame(&frame->header, FRAME_FILE, path.at);
		hide(path.at);
		if (path.at <= FRAME_MAX)
			emit(frame, path.at);
	}
	give_sheet_back(sheet);
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
