/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ends a program that is forbidden before it runs one instruction: SIGKILL to itself, while the kernel still sets it up
 * (fs/exec.c, exec_binprm()). The second line behind fanotify, which refuses the exec itself (../execs.h): what comes here
 * got past that, through a mount that came later, from memory, or because there is no fanotify.
 *
 * Attached only while there is a policy for it.
 */
/* Behind the path: a key, or a name, which may be somewhat longer. */
#define SCRATCH (FRAME_MAX - sizeof(struct path_key) - NAME_BYTES)

/* At which of the names of the path the search is; in memory for the reason told at write_path(). */
struct search {
	__u64 cgroup;
	__u32 at;
	__u32 end;
};

/* Whether the path, whose names are the sheet's bytes from search->at to search->end, or a directory above it is listed. */
__attribute__((noinline)) int is_listed(struct sheet *sheet, struct search *search)
{
	if (!sheet || !search)
		return 0;
	struct path_key *key = (void *)sheet->bytes + SCRATCH;

	for (int i = 0; i <= PATH_DEPTH; i++) {
		__u32 at = search->at, length = search->end - at;
		hide(at);
		hide(length);
		if (at > SCRATCH - NAME_BYTES)
			break;
		if (length <= PATH_NAMES_BYTES) {
			__builtin_memset(key->names, 0, sizeof(key->names));
			key->cgroup = search->cgroup;
			if (length > 0 && bpf_probe_read_kernel(key->names, length, sheet->bytes + at) != 0)
				break;
			__u8 *found = bpf_map_lookup_elem(&policy_paths, key);
			if (found && (*found & (i == 0 ? PATH_FILE : PATH_BELOW)))
				return 1;
		}
		if (length == 0)
			break;
		long size = bpf_probe_read_kernel_str(sheet->bytes + SCRATCH, NAME_BYTES, sheet->bytes + at);
		if (size <= 0)
			break;
		search->at = at + size;
	}
	return 0;
}

static __always_inline bool is_of_origin(const struct policy *policy, __u8 origin)
{
	return (origin == ORIGIN_UPPER && policy->flags & POLICY_UPPER) ||
	       (origin == ORIGIN_MEMORY && policy->flags & POLICY_MEMORY) ||
	       (origin == ORIGIN_PLAIN && policy->flags & POLICY_MOUNT);
}

/*
 * The names of the program's path at the beginning of the sheet, up to the root of its mount namespace: chroot(2) gives no
 * other name. Where it comes from.
 */
static __always_inline __u8 write_program(struct sheet *sheet, struct search *search, struct task_struct *task)
{
	struct file *file = READ(task, mm, exe_file);
	struct walk walk = {
		.dentry = READ(file, f_path.dentry),
		.mount = READ(file, f_path.mnt),
	};

	if (!walk.dentry)
		return ORIGIN_UNKNOWN;
	write_path(sheet, &walk);
	search->end = walk.at;
	return origin_of(file, &walk, sheet->bytes);
}

SEC("tp_btf/sched_process_exec")
int end_exec(__u64 *arguments)
{
	struct task_struct *task = (void *)arguments[0];
	struct kernfs_node *node = cgroup_node(task);
	struct sheet *sheet = 0;
	__u8 origin = ORIGIN_UNKNOWN;
	struct search search = {};

	/* A runtime on its way into the container: not yet one of its programs. */
	if (is_mount_of_host(mount_namespace(task)))
		return 0;
	for (int i = 0; i < CGROUP_DEPTH && node; i++, node = kernfs_parent(node)) {
		__u64 cgroup = READ(node, id);
		struct policy *policy = policy_of(cgroup, POLICY_EXEC);

		if (!policy)
			continue;
		if (!sheet) {
			sheet = take_sheet();
			if (!sheet) {
				__sync_fetch_and_add(&policy->missed, 1);
				return 0;
			}
			origin = write_program(sheet, &search, task);
		}
		search.cgroup = cgroup;
		search.at = 0;
		if (!is_of_origin(policy, origin) && !is_listed(sheet, &search))
			continue;
		if (!(policy->flags & POLICY_ENFORCE)) {
			__sync_fetch_and_add(&policy->prevented, 1);
			continue;
		}
		__sync_fetch_and_add(bpf_send_signal(SIGKILL) == 0 ? &policy->caught : &policy->missed, 1);
		break;
	}
	if (sheet)
		give_sheet_back(sheet);
	return 0;
}
