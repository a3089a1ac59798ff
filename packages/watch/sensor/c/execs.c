/* SPDX-License-Identifier: Apache-2.0 */
#include "execs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "inside.h"
#include "policy.h"

static bool mark(int queue, unsigned flags, int fd)
{
	return inside_mark(queue, flags, FAN_OPEN_EXEC_PERM, fd);
}

static void mark_mount(void *queue, int fd)
{
	mark(*(int *)queue, FAN_MARK_MOUNT, fd);
}

int execs_open(__u32 pid)
{
	int root = inside_root(pid), queue, error;
	struct statfs system;

	if (root < 0)
		return -1;
	queue = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC | O_LARGEFILE);
	if (queue >= 0 && (fstatfs(root, &system) != 0 ||
			   !mark(queue, system.f_type == OVERLAYFS_SUPER_MAGIC ? FAN_MARK_FILESYSTEM : FAN_MARK_MOUNT, root))) {
		error = errno;
		close(queue);
		queue = -1;
		errno = error;
	}
	if (queue >= 0)
		inside_mounts(pid, root, mark_mount, &queue);
	close(root);
	return queue;
}

/* overlayfs shows where its layers are: the path as it was at the time of the mount, in the host's mount namespace. */
int execs_upper(__u32 pid)
{
	char name[64], path[PATH_MAX], *line = NULL;
	size_t size = 0;
	int upper = -1;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%u/mountinfo", pid);
	file = fopen(name, "re");
	while (file && getline(&line, &size, file) > 0) {
		const char *dash = strstr(line, " - overlay "), *layer = dash ? strstr(dash, "upperdir=") : NULL;
		char target[PATH_MAX];

		if (!layer || sscanf(line, "%*s %*s %*s %*s %4095s", target) != 1 || strcmp(target, "/") != 0)
			continue;
		snprintf(path, sizeof(path), "/proc/1/root%.*s", (int)strcspn(layer + 9, ",\n "), layer + 9);
		if (upper >= 0)
			close(upper);
		upper = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		/* /proc/1/root may be closed even to root; then we are the host's own. */
		if (upper < 0)
			upper = open(path + strlen("/proc/1/root"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	free(line);
	if (file)
		fclose(file);
	return upper;
}

static bool is_of_origin(const struct exec_rule *rule, int fd, const char *path)
{
	struct statfs system;
	int layer;

	if (!(rule->flags & (POLICY_UPPER | POLICY_MOUNT)) || fstatfs(fd, &system) != 0)
		return false;
	if (system.f_type != OVERLAYFS_SUPER_MAGIC)
		return rule->flags & POLICY_MOUNT;
	if (!(rule->flags & POLICY_UPPER) || rule->upper < 0)
		return false;
	layer = inside_open(rule->upper, path);
	if (layer >= 0)
		close(layer);
	return layer >= 0;
}

static bool is_listed(const struct exec_rule *rule, const char *path)
{
	for (int i = 0; i < rule->paths_used; i++) {
		const char *listed = rule->paths[i];
		size_t length = strlen(listed);

		if (strncmp(path, listed, length) == 0 && (path[length] == 0 || listed[length - 1] == '/'))
			return true;
	}
	return false;
}

static bool is_refused(const struct exec_rule *rule, int fd, __u32 pid, char *path, size_t size)
{
	char name[64];
	ssize_t length;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	length = readlink(name, path, size - 1);
	path[length > 0 ? length : 0] = 0;
	return length > 0 && (is_listed(rule, path) || is_of_origin(rule, fd, path)) && inside_is_of(pid, rule->cgroup);
}

void execs_answer(int queue, const struct exec_rule *rule, struct exec_count *count)
{
	static char buffer[16384] __attribute__((aligned(8)));
	char path[PATH_MAX];
	ssize_t length = read(queue, buffer, sizeof(buffer));
	struct fanotify_event_metadata *event = (void *)buffer;

	for (; length > 0 && FAN_EVENT_OK(event, length); event = FAN_EVENT_NEXT(event, length)) {
		struct fanotify_response response = { .fd = event->fd, .response = FAN_ALLOW };

		if (event->fd < 0)
			continue;
		if (is_refused(rule, event->fd, event->pid, path, sizeof(path))) {
			count->refused++;
			count->pid = event->pid;
			memcpy(count->path, path, sizeof(count->path));
			if (rule->flags & POLICY_ENFORCE)
				response.response = FAN_DENY;
		}
		/* Fails where whoever asked was killed meanwhile. */
		if (write(queue, &response, sizeof(response)) < 0 && errno != ENOENT)
			abort();
		close(event->fd);
	}
}
