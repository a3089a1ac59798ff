/* SPDX-License-Identifier: Apache-2.0 */
#include "objects.h"

#include <elf.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"
#include "inside.h"

/* A process that has opened one, and may map it yet. */
#define OPENERS 64
struct opener {
	int looks; /* still to be made; 0: a place that is free */
	__s64 look_at;
	struct file_event event;
	char path[MARK_PATH_BYTES];
};
static struct opener openers[OPENERS];

/* Milliseconds between the looks, the first one last. */
static const int look_delays[] = { 200, 20, 2 };
#define LOOKS ((int)(sizeof(look_delays) / sizeof(*look_delays)))

/* File systems that answer by themselves, and at once. */
static bool is_local(int fd)
{
	static const __u32 types[] = {
		OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC, EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (inside_is_of_type(fd, types[i]))
			return true;
	return false;
}

/* By its header, whatever it is called. Programs that may be put anywhere in memory look the same. */
static bool is_shared_object(int fd, const struct stat *stat)
{
	unsigned char head[EI_NIDENT + sizeof(Elf64_Half)];

	if (!S_ISREG(stat->st_mode) || stat->st_size < (off_t)sizeof(Elf32_Ehdr) || !is_local(fd) ||
	    pread(fd, head, sizeof(head), 0) != sizeof(head) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return false;
	return head[EI_NIDENT + (head[EI_DATA] == ELFDATA2MSB)] == ET_DYN;
}

bool objects_has(const struct objects *objects, const struct stat *stat)
{
	for (size_t i = 0; i < objects->used; i++)
		if (objects->all[i].inode == stat->st_ino && objects->all[i].device == stat->st_dev)
			return true;
	return false;
}

bool objects_may_be(const struct objects *objects, int fd, const struct stat *stat)
{
	return objects->used < OBJECTS && is_shared_object(fd, stat) && !objects_has(objects, stat);
}

void objects_note(struct objects *objects, const struct stat *stat)
{
	objects->all[objects->used].device = stat->st_dev;
	objects->all[objects->used++].inode = stat->st_ino;
}

/* Where a process has a file mapped to be executed, and not as its own program, which is told by its exec record. */
enum mapped { NOT_MAPPED, MAPPED, IS_GONE };

static bool is_path(const char *text, const char *path)
{
	size_t length = strlen(path);

	return strncmp(text, path, length) == 0 && (!text[length] || strcmp(text + length, " (deleted)") == 0);
}

static enum mapped look_at_mappings(__u32 pid, const char *path)
{
	char name[64], own[MARK_PATH_BYTES], *line = NULL;
	enum mapped found = NOT_MAPPED;
	ssize_t length;
	size_t room = 0;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%u/exe", pid);
	length = readlink(name, own, sizeof(own) - 1);
	if (length < 0)
		return IS_GONE;
	own[length] = 0;
	snprintf(name, sizeof(name), "/proc/%u/maps", pid);
	file = fopen(name, "re");
	for (int turns = 0; file && !found && turns < 10000 && (length = getline(&line, &room, file)) > 0; turns++) {
		char rights[8] = "";
		int at = 0;

		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, "%*s %7s %*s %*s %*s %n", rights, &at) == 1 && at && rights[2] == 'x' &&
		    is_path(line + at, path) && !is_path(own, path))
			found = MAPPED;
	}
	free(line);
	if (file)
		fclose(file);
	return found;
}

static void tell_mapped(const struct file_event *opened, marks_receiver *on_event, void *context)
{
	struct file_event told = *opened;

	told.operation = FILE_EXECUTE;
	told.was_written = true;
	on_event(context, &told);
}

/* Who opens a library maps it at once, and may end soon: so the first look waits for it, half a millisecond at most. */
#define SPINS 10
#define SPIN_US 50
#define SPINS_PER_SECOND 200

static bool may_spin(__s64 now)
{
	static __s64 since;
	static int spins;

	if (now - since >= 1000) {
		since = now;
		spins = 0;
	}
	return spins++ < SPINS_PER_SECOND;
}

void objects_opened(const struct file_event *opened, __s64 now, marks_receiver *on_event, void *context)
{
	enum mapped mapped = look_at_mappings(opened->pid, opened->path);

	for (int i = 0; i < SPINS && mapped == NOT_MAPPED && may_spin(now); i++) {
		usleep(SPIN_US);
		mapped = look_at_mappings(opened->pid, opened->path);
	}
	if (mapped == MAPPED)
		tell_mapped(opened, on_event, context);
	for (size_t i = 0; i < OPENERS && mapped == NOT_MAPPED; i++) {
		struct opener *opener = &openers[i];

		if (opener->looks)
			continue;
		opener->event = *opened;
		snprintf(opener->path, sizeof(opener->path), "%s", opened->path);
		opener->event.path = opener->path;
		opener->looks = LOOKS;
		opener->look_at = now + look_delays[LOOKS - 1];
		return;
	}
}

__s64 objects_look(__s64 now, marks_receiver *on_event, void *context)
{
	__s64 next = 0;

	for (size_t i = 0; i < OPENERS; i++) {
		struct opener *opener = &openers[i];

		if (opener->looks && opener->look_at <= now) {
			enum mapped mapped = look_at_mappings(opener->event.pid, opener->path);

			if (mapped == MAPPED)
				tell_mapped(&opener->event, on_event, context);
			opener->looks = mapped == NOT_MAPPED ? opener->looks - 1 : 0;
			if (opener->looks)
				opener->look_at = now + look_delays[opener->looks - 1];
		}
		if (opener->looks && (!next || opener->look_at < next))
			next = opener->look_at;
	}
	return next;
}
