/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files on the file systems of containers that are left to the kernel side: ../shared.h. */
#ifndef BULWARK_KERNEL_LEFT_H
#define BULWARK_KERNEL_LEFT_H

#define INNER_DEPTH 16

static __always_inline struct left_system *left_system_of(struct super_block *system)
{
	__u32 key = READ(system, s_dev) % LEFT_SYSTEMS;

	return bpf_map_lookup_elem(&left_systems, &key);
}

/* A number of a device is soon another's, this is not. */
static __always_inline __u64 identity_of(struct super_block *system)
{
	__u64 uuid[2] = {};

	bpf_core_read(uuid, sizeof(uuid), &system->s_uuid);
	return uuid[0] ^ uuid[1];
}

/* No padding: see struct walk. */
struct inner_path {
	struct dentry *name;
	__u64 root; /* inode of the directory that it is told from; 0: from the root of the file system */
	__u64 at; /* where the path goes, then where it ends; 0: it is not below that root, or too deep */
};

/* Writes it from the root to the leaf. Global for the reason told at write_path(). */
__attribute__((noinline)) int write_inner_path(struct sheet *sheet, struct inner_path *path)
{
	struct dentry *names[INNER_DEPTH] = {}, *name;
	int depth = 0;

	if (!sheet || !path)
		return 0;
	name = path->name;
	for (; depth < INNER_DEPTH; depth++) {
		struct dentry *parent = READ(name, d_parent);

		if (path->root ? READ(name, d_inode, i_ino) == path->root && depth > 0 : parent == name)
			break;
		names[depth] = name;
		if (depth == INNER_DEPTH - 1)
			count_loss(LOSS_UNREADABLE);
		/* Another part of the file system, which is mounted elsewhere. */
		if (parent == name || depth == INNER_DEPTH - 1) {
			path->at = 0;
			return 0;
		}
		name = parent;
	}
	for (int i = INNER_DEPTH - 1; i >= 0; i--) {
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

/* Who comes from elsewhere, by another process's root or a descriptor, is told as such. */
static __always_inline void emit_left_file(struct task_struct *task, const struct left_system *told, struct dentry *name,
					   __u8 operation, __u8 flags)
{
	struct sheet *sheet = take_sheet();

	if (!sheet)
		return;
	struct frame_file *frame = &sheet->file;
	struct inner_path path = { .name = name, .root = told->devices, .at = sizeof(*frame) };

	read_actor(&frame->actor, task);
	frame->operation = operation;
	frame->flags = flags;
	if (told->mount_namespace && told->mount_namespace != frame->actor.mount_namespace) {
		frame->flags |= FILE_THROUGH_NAMESPACE;
		frame->actor.mount_namespace = told->mount_namespace;
	}
	frame->inode = 0;
	frame->reserved = 0;
	if (told->devices) {
		__builtin_memcpy(sheet->bytes + sizeof(*frame), "/dev", 4);
		path.at += 4;
	}
	write_inner_path(sheet, &path);
	if (path.at) {
		frame->lengths[0] = path.at - sizeof(*frame);
		frame->lengths[1] = 0;
		begin_frame(&frame->header, FRAME_FILE, path.at);
		hide(path.at);
		if (path.at <= FRAME_MAX)
			emit(frame, path.at);
	}
	give_sheet_back(sheet);
}

#endif
