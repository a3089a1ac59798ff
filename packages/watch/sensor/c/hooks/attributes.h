/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Entries of watched directories in a container's overlay that are given other rights, another owner, other times or
 * extended attributes, that are cut, and that are written to the first time: fanotify tells of that when they are closed, which
 * may be never, and of truncate(2), which opens nothing, not at all. A fanotify mark that tells of entries makes each open and
 * close of them dearer (8 %). But what is changed in an overlay is changed in its upper layer and then copied to the inode that
 * the container sees, its time of change last but for its size (fs/overlayfs/util.c, ovl_copyattr(); the tracepoint is there
 * since Linux 6.13). That is done for much else too, so what is told of is found by the number of the system call.
 */

/* Written by the loader: those of watched.h, and those that rules want. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64 + 256);
	__type(key, struct watched_directory);
	__type(value, __u8);
} watched_directories SEC(".maps");

/* Linux, include/linux/sched.h: it does what a process has put on an io_uring. */
#define PF_IO_WORKER 0x10

/* Names of one file that are looked at, the newest first. */
#define LINKS 16

/* Whether it left what is in the file, which has a time of its own, as it was. */
static __always_inline bool is_attributes_only(struct inode *inode, const struct timespec64 *time)
{
	return READ(inode, i_mtime_sec) != READ(time, tv_sec) || READ(inode, i_mtime_nsec) != READ(time, tv_nsec);
}

/* Whether the time of change is another than before: what is written all the time is looked at once a tick. */
static __always_inline bool is_later(struct inode *inode, const struct timespec64 *time)
{
	return READ(inode, i_ctime_sec) != READ(time, tv_sec) || READ(inode, i_ctime_nsec) != READ(time, tv_nsec);
}

/* Whether it made the file shorter, whose size is still the one before. Of a 32-bit call it is taken for emptying. */
static __always_inline bool is_cut(const struct call *call, __u8 policy, struct inode *inode)
{
	bool takes_length = is_call(call, calls.truncate, calls.ftruncate);
	__u64 length = takes_length ? call->arguments[1] : 0;

	return (takes_length || policy & CALL_TEXTS) && (__u64)READ(inode, i_size) > length;
}

#define NO_CHANGE 0xff

/* What happens to a file (enum frame_operation), and flags of that. */
struct change {
	__u8 operation;
	__u8 flags;
};

static __always_inline struct change change_of(struct task_struct *task, struct inode *inode, const struct timespec64 *time)
{
	struct change attributes = { FILE_ATTRIBUTES, 0 }, written = { FILE_WRITE, FILE_IS_OPEN }, none = { NO_CHANGE, 0 };
	struct pt_regs *registers = (void *)bpf_task_pt_regs(task);
	struct call call = {};
	__u8 policy = 0;

	if (READ(task, flags) & PF_IO_WORKER) {
		policy = CALL_MAYBE_ATTRIBUTES;
	} else {
		read_call_number(&call, registers, task);
		if (call.number < CALL_NUMBERS)
			policy = call.is_compat ? calls.compat[call.number] : calls.native[call.number];
	}
	switch (policy & CALL_CHANGES) {
	case CALL_ATTRIBUTES:
		return attributes;
	case CALL_MAYBE_ATTRIBUTES:
		if (is_attributes_only(inode, time))
			return attributes;
		break;
	case CALL_CONTENT:
		if (is_attributes_only(inode, time))
			return none;
		break;
	default:
		return none;
	}
	if ((READ(inode, i_mode) & S_IFMT) != S_IFREG)
		return none;
	if ((policy & CALL_CHANGES) == CALL_CONTENT && (policy & CALL_TEXTS || is_call(&call, calls.ftruncate, calls.ftruncate))) {
		read_call_arguments(&call, registers);
		if (is_cut(&call, policy, inode))
			return (struct change){ FILE_TRUNCATE, policy & CALL_TEXTS ? 0 : FILE_BY_DESCRIPTOR };
	}
	return is_later(inode, time) ? written : none;
}

/* Who has written to which file, and when that was told, or found to be of no interest. */
#define WRITTEN_NS 60000000000ull
struct written_key {
	struct inode *inode;
	__u32 number;
	__u32 process;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct written_key);
	__type(value, __u64);
} written SEC(".maps");

static __always_inline bool is_first_write(struct task_struct *task, struct inode *inode)
{
	struct written_key key = { inode, (__u32)READ(inode, i_ino), READ(task, tgid) };
	__u64 now = bpf_ktime_get_boot_ns(), *before = bpf_map_lookup_elem(&written, &key);

	if (before && now - *before < WRITTEN_NS)
		return false;
	bpf_map_update_elem(&written, &key, &now, BPF_ANY);
	return true;
}

/* Whether a name is in a watched directory. Global for the reason told at write_path(). */
__attribute__((noinline)) int is_in_watched(struct watched_directory *key, struct dentry **name)
{
	if (!key || !name)
		return 0;
	struct dentry *directory = READ(*name, d_parent);
	__u32 at = 0;

	if (directory == *name)
		return 0;
	__builtin_memset(key, 0, sizeof(*key));
	for (int i = 0; i <= WATCHED_DEPTH; i++) {
		struct dentry *above = READ(directory, d_parent);

		if (above == directory)
			return bpf_map_lookup_elem(&watched_directories, key) != 0;
		hide(at);
		if (at > WATCHED_BYTES / 2)
			return 0;
		long size = bpf_probe_read_kernel_str(key->names + at, WATCHED_BYTES / 2, READ(directory, d_name.name));
		if (size <= 0)
			return 0;
		at += size;
		directory = above;
	}
	return 0;
}

SEC("tp_btf/inode_set_ctime_to_ts")
int on_attributes(__u64 *arguments)
{
	struct inode *inode = (void *)arguments[0];
	struct super_block *system = READ(inode, i_sb);
	struct left_system *told = left_system_of(system);
	struct task_struct *task = bpf_get_current_task_btf();
	struct watched_directory key;

	if (!told || !told->identity || told->devices)
		return 0;
	struct change change = change_of(task, inode, (void *)arguments[1]);
	/* While the inode is locked, as it is here, its names stay. It has none yet when it is looked up. */
	struct hlist_node *link = change.operation == NO_CHANGE ? 0 : READ(inode, i_dentry.first);
	if (!link || told->identity != identity_of(system) ||
	    (change.operation == FILE_WRITE && !is_first_write(task, inode)))
		return 0;
	for (int i = 0; i < LINKS && link; i++, link = READ(link, next)) {
		struct dentry *name = (void *)link - bpf_core_field_offset(struct dentry, d_u.d_alias);

		if (!is_in_watched(&key, &name))
			continue;
		if ((READ(inode, i_mode) & S_IFMT) == S_IFDIR)
			change.flags |= FILE_IS_DIRECTORY;
		if ((told->mount_namespace || is_told(task)) && has_share(task))
			emit_left_file(task, told, name, change.operation, change.flags);
		break;
	}
	return 0;
}
