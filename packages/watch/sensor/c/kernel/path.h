/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Paths from dentries, as prepend_path() in fs/d_path.c finds them: a symbolic link or a bind mount hides nothing. */
#ifndef BULWARK_KERNEL_PATH_H
#define BULWARK_KERNEL_PATH_H

#define NAME_BYTES 256 /* NAME_MAX and its NUL */
#define PATH_BYTES 4096
#define PATH_DEPTH 64

/* Keeps the compiler from proving what the verifier shall see checked. */
#define hide(value) asm volatile("" : "+r"(value))

/* Writes a name and its NUL at `at`. Returns their size, or 0 when there is no room or it cannot be read. */
static __always_inline __u32 write_name(struct sheet *sheet, __u32 at, const void *name)
{
	hide(at);
	if (at <= FRAME_MAX - NAME_BYTES) {
		long size = bpf_probe_read_kernel_str(sheet->bytes + at, NAME_BYTES, name);
		if (size > 0)
			return size;
	}
	count_loss(LOSS_UNREADABLE);
	return 0;
}

/* No padding: the verifier wants every byte that is passed to a function set. */
struct walk {
	struct dentry *dentry;
	struct vfsmount *mount;
	struct dentry *root_dentry;
	struct vfsmount *root_mount;
	__u32 at; /* where the next name goes */
	__u32 end; /* enum frame_path_end */
};

/*
 * Writes the names from the leaf to the root at walk->at and moves it on.
 *
 * A global function, and positions in memory instead of registers: so the verifier looks at it once and forgets what it
 * knows of positions at each turn. Inlined, it follows every length that every earlier field can have (over a million
 * instructions).
 */
__attribute__((noinline)) int write_path(struct sheet *sheet, struct walk *walk)
{
	if (!sheet || !walk)
		return 0;
	__u32 start = walk->at, limit = start + PATH_BYTES - NAME_BYTES;

	walk->end = PATH_CUT;
	for (int i = 0; i < PATH_DEPTH && walk->at <= limit; i++) {
		struct dentry *dentry = walk->dentry;
		struct vfsmount *mount = walk->mount;

		if (dentry == walk->root_dentry && mount == walk->root_mount) {
			walk->end = PATH_ROOT;
			break;
		}
		struct dentry *parent = READ(dentry, d_parent);
		if (dentry == READ(mount, mnt_root)) {
			struct mount *self = (void *)mount - bpf_core_field_offset(struct mount, mnt);
			struct mount *below = READ(self, mnt_parent);

			if (below == self) {
				walk->end = PATH_UNREACHABLE;
				/* A file that was bound alone and detached (runc executes itself so) at least has a name. */
				if (walk->at == start && dentry != parent)
					walk->at += write_name(sheet, start, READ(dentry, d_name.name));
				break;
			}
			walk->dentry = READ(self, mnt_mountpoint);
			walk->mount = (void *)below + bpf_core_field_offset(struct mount, mnt);
			continue;
		}
		__u32 size = write_name(sheet, walk->at, READ(dentry, d_name.name));
		if (size == 0)
			break;
		walk->at += size;
		if (dentry == parent) {
			walk->end = PATH_NAME;
			break;
		}
		walk->dentry = parent;
	}
	return 0;
}

#endif
