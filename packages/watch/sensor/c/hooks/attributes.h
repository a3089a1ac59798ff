/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Entries of watched directories in a container's overlay that are given other rights, another owner, other times or
 * extended attributes. A fanotify mark that tells of entries makes each open and close of them dearer (8 %). But what is
 * changed in an overlay is changed in its upper layer and then copied to the inode that the container sees, its time of
 * change last (fs/overlayfs/util.c, ovl_copyattr(); the tracepoint is there since Linux 6.13). That is done for much else
 * too, so what is told of is found by the number of the system call.
 */

/* Written by the loader: those of watched.h. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct watched_directory);
	__type(value, __u8);
} watched_directories SEC(".maps");

/* Linux, include/linux/sched.h: it does what a process has put on an io_uring. */
#define PF_IO_WORKER 0x10

/* Names of one file that are looked at, the newest first. */
#define LINKS 16

/* Of what does many things, whether it did this: then the content, which has a time of its own, is as before. */
static __always_inline bool is_attributes_only(struct inode *inode, const struct timespec64 *time)
{
	return READ(inode, i_mtime_sec) != READ(time, tv_sec) || READ(inode, i_mtime_nsec) != READ(time, tv_nsec);
}

static __always_inline bool changes_attributes(struct task_struct *task, struct inode *inode, const struct timespec64 *time)
{
	struct call call = {};
	__u8 policy = 0;

	if (READ(task, flags) & PF_IO_WORKER)
		return is_attributes_only(inode, time);
	read_call_number(&call, (void *)bpf_task_pt_regs(task), task);
	if (call.number < CALL_NUMBERS)
		policy = call.is_compat ? calls.compat[call.number] : calls.native[call.number];
	return policy & CALL_ATTRIBUTES || (policy & CALL_MAYBE_ATTRIBUTES && is_attributes_only(inode, time));
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

	if (!told || !told->identity || told->devices || !changes_attributes(task, inode, (void *)arguments[1]) ||
	    told->identity != identity_of(system))
		return 0;
	/* While the inode is locked, as it is here, its names stay. */
	struct hlist_node *link = READ(inode, i_dentry.first);
	for (int i = 0; i < LINKS && link; i++, link = READ(link, next)) {
		struct dentry *name = (void *)link - bpf_core_field_offset(struct dentry, d_u.d_alias);

		if (!is_in_watched(&key, &name))
			continue;
		if ((told->mount_namespace || is_told(task)) && has_share(task))
			emit_left_file(task, told, name, FILE_ATTRIBUTES,
				       (READ(inode, i_mode) & S_IFMT) == S_IFDIR ? FILE_IS_DIRECTORY : 0);
		break;
	}
	return 0;
}
