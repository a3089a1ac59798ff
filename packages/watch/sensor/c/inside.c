/* SPDX-License-Identifier: Apache-2.0 */
#include "inside.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

int inside_root(__u32 pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/root", pid);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* What a container names is not to be found on the host (openat2(2), RESOLVE_IN_ROOT). */
int inside_open(int root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

	return syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* fanotify_mark(2) takes no descriptor of O_PATH, but the path of one. */
bool inside_mark(int queue, unsigned flags, unsigned long long mask, int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fanotify_mark(queue, FAN_MARK_ADD | flags, mask, AT_FDCWD, path) == 0;
}

/* File systems that hold no files of anybody, and in which nothing is changed by writing. */
static bool is_passed_over(const char *type)
{
	static const char *const types[] = { "devpts", "mqueue", "devtmpfs" };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

void inside_mounts(__u32 pid, int root, void (*on_mount)(void *context, int fd), void *context)
{
	char name[64], line[2 * PATH_MAX], target[PATH_MAX], type[64];
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%u/mountinfo", pid);
	file = fopen(name, "re");
	/* Documentation/filesystems/proc.rst, 3.5: the type is after a lone dash. */
	for (int turns = 0; file && turns < 256 && fgets(line, sizeof(line), file); turns++) {
		const char *dash = strstr(line, " - ");

		if (!dash || sscanf(line, "%*s %*s %*s %*s %4095s", target) != 1 || sscanf(dash, " - %63s", type) != 1)
			continue;
		if (strcmp(target, "/") == 0 || is_passed_over(type))
			continue;
		int fd = inside_open(root, target);
		if (fd >= 0) {
			on_mount(context, fd);
			close(fd);
		}
	}
	if (file)
		fclose(file);
}

__u64 inside_mount_of(int fd)
{
	struct statx found;

	/* Linux 5.8 */
	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &found) != 0 || !(found.stx_mask & STATX_MNT_ID))
		return 0;
	return found.stx_mnt_id;
}

#ifndef FS_IOC_GETFSUUID /* Linux 6.9 */
struct fsuuid2 {
	__u8 len;
	__u8 uuid[16];
};
#define FS_IOC_GETFSUUID _IOR(0x15, 0, struct fsuuid2)
#endif

__u64 inside_identity(int fd)
{
	struct fsuuid2 found = {};
	__u64 halves[2];
	char path[64];
	int readable;

	/* ioctl(2) takes no descriptor of O_PATH. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	readable = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (readable < 0)
		return 0;
	if (ioctl(readable, FS_IOC_GETFSUUID, &found) != 0 || found.len != sizeof(found.uuid))
		memset(&found, 0, sizeof(found));
	close(readable);
	memcpy(halves, found.uuid, sizeof(halves));
	return halves[0] ^ halves[1];
}

bool inside_path(int fd, char *path, size_t size)
{
	char name[64];
	ssize_t length;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	length = readlink(name, path, size);
	if (length < 0 || (size_t)length >= size)
		return false;
	path[length] = 0;
	return true;
}

bool inside_is_whole(__u32 pid, __u64 mount)
{
	char name[64], line[2 * PATH_MAX], top[PATH_MAX];
	bool is_whole = false;
	unsigned long long number;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%u/mountinfo", pid);
	file = fopen(name, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%llu %*s %*s %4095s", &number, top) == 2 && number == mount) {
			is_whole = strcmp(top, "/") == 0;
			break;
		}
	if (file)
		fclose(file);
	return is_whole;
}

bool inside_sees_mount(__u32 pid, __u64 mount)
{
	char name[64], *line = NULL;
	bool sees = false;
	size_t room = 0;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%u/mountinfo", pid);
	file = fopen(name, "re");
	/* sysctl fs.mount-max is 100,000: more are not read for one event. */
	for (int turns = 0; file && !sees && turns < 10000 && getline(&line, &room, file) > 0; turns++)
		sees = strtoull(line, NULL, 10) == mount;
	free(line);
	if (file)
		fclose(file);
	return sees;
}

__u32 inside_namespace(__u32 pid)
{
	struct stat found;
	char name[64];

	snprintf(name, sizeof(name), "/proc/%u/ns/mnt", pid);
	return stat(name, &found) == 0 ? found.st_ino : 0;
}

int inside_open_cgroup(int hierarchy, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};

	return syscall(SYS_openat2, hierarchy, path, &how, sizeof(how));
}

void inside_cgroup(__u32 pid, char *path, size_t size)
{
	char name[64], *line = NULL;
	size_t room = 0;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%u/cgroup", pid);
	file = fopen(name, "re");
	path[0] = 0;
	while (file && getline(&line, &room, file) > 0)
		if (strncmp(line, "0::", 3) == 0)
			snprintf(path, size, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
	free(line);
	if (file)
		fclose(file);
}

bool inside_is_of(__u32 pid, const char *cgroup)
{
	size_t length = strlen(cgroup);
	char path[4096];

	inside_cgroup(pid, path, sizeof(path));
	return strncmp(path, cgroup, length) == 0 && (path[length] == 0 || path[length] == '/');
}

/* Their inodes: the last column of /proc/PID/net/packet. */
static size_t read_packet_sockets(__u32 pid, unsigned long inodes[])
{
	char name[64];
	size_t used = 0;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%u/net/packet", pid);
	file = fopen(name, "re");
	if (!file)
		return 0;
	(void)!fscanf(file, "%*[^\n]");
	while (used < INSIDE_SOCKETS && fscanf(file, "%*s %*s %*s %*s %*s %*s %*s %*s %lu", &inodes[used]) == 1)
		used++;
	fclose(file);
	return used;
}

/* Strikes out those that a process holds. Returns how many. */
static size_t strike_out(const char *process, unsigned long inodes[], size_t used)
{
	char name[300], link[64];
	struct dirent *entry;
	size_t struck = 0;
	DIR *open;

	snprintf(name, sizeof(name), "/proc/%s/fd", process);
	open = opendir(name);
	while (open && (entry = readdir(open))) {
		ssize_t length = readlinkat(dirfd(open), entry->d_name, link, sizeof(link) - 1);
		unsigned long inode;

		link[length > 0 ? length : 0] = 0;
		if (sscanf(link, "socket:[%lu]", &inode) != 1)
			continue;
		for (size_t i = 0; i < used; i++)
			if (inodes[i] == inode) {
				inodes[i] = 0;
				struck++;
			}
	}
	if (open)
		closedir(open);
	return struck;
}

size_t inside_packet_sockets(__u32 pid, const char *cgroup)
{
	unsigned long inodes[INSIDE_SOCKETS];
	size_t used = read_packet_sockets(pid, inodes), found = 0;
	DIR *processes = used > 0 ? opendir("/proc") : NULL;
	struct dirent *entry;

	while (processes && found < used && (entry = readdir(processes)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && inside_is_of(atoi(entry->d_name), cgroup))
			found += strike_out(entry->d_name, inodes, used);
	if (processes)
		closedir(processes);
	return found;
}

bool inside_is_of_type(int fd, __u32 type)
{
	struct statfs system;

	return fstatfs(fd, &system) == 0 && (__u32)system.f_type == type;
}
