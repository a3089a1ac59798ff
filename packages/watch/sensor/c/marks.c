/* SPDX-License-Identifier: Apache-2.0 */
#include "marks.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "frame.h"
#include "inside.h"
#include "objects.h"

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200 /* Linux 6.6 */
#endif
#ifndef FAN_RENAME
#define FAN_RENAME 0x10000000 /* Linux 5.17 */
#define FAN_EVENT_INFO_TYPE_OLD_DFID_NAME 10
#define FAN_EVENT_INFO_TYPE_NEW_DFID_NAME 12
#endif

/* Files whose opening is told: as many of watched.h, and of marks_want(). */
#define DIRECTORY(path)
#define SECRET(path) +1
enum {
	SECRETS_COUNT = 0
#include "watched.h"
};
#undef DIRECTORY
#undef SECRET
#define PINS (SECRETS_COUNT + WANTED_PATHS)

/* A directory whose entries are watched, by the handle that its events carry. */
#define DIRECTORIES 8192
#define HANDLE_BYTES 64
struct directory {
	__u32 mount_namespace; /* 0: a place that is free */
	__u32 handle_bytes;
	__s32 handle_type;
	__u8 handle[HANDLE_BYTES];
	const struct place *place;
};

struct container {
	__u32 mount_namespace; /* 0: a place that is free */
	int queue; /* what is written and opened */
	int process; /* pidfd of its first process */
	__u32 pid;
	__u64 mount; /* of its root */
	bool is_host;
	bool is_overlay; /* its root */
	/*
	 * Files of an overlay that are watched, secrets first, held open by descriptors of O_PATH so that the kernel keeps their
	 * inodes: of what has several names in a lower layer, or was copied up from one that gives out no handles, it makes a new
	 * one when it has forgotten the name, and the mark is gone (fs/overlayfs/inode.c, ovl_hash_bylower()). 0: there is none.
	 */
	int pins[PINS];
	struct objects objects;
	struct left_place left[LEFT_PLACES]; /* to the kernel side */
	/* How often its mounts are still to be looked at, and when next, in milliseconds; 0: not at all. */
	int looks;
	__s64 look_at;
};

/* After a call that mounts, which may take a while: milliseconds between the looks. */
static const int look_delays[] = { 200, 20, 2 };

struct marks {
	int directory_queue;
	__u32 leaves; /* to the kernel side: enum left */
	size_t pins_used, pins_most;
	__s64 pins_look_at; /* when it is looked next whether one of them has been removed */
	__s64 host_look_at; /* when the files of the machine are to be looked for again; 0: not at all */
	size_t containers_used, directories_used;
	struct container containers[WATCHED_CONTAINERS];
	struct directory directories[DIRECTORIES];
};

#define DIRECTORY(path) path,
#define SECRET(path)
static const char *const watched_directories[] = {
#include "watched.h"
};
#undef DIRECTORY
#undef SECRET
#define DIRECTORY(path)
#define SECRET(path) path,
static const char *const watched_secrets[] = {
#include "watched.h"
};
#undef DIRECTORY
#undef SECRET
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A directory that is watched: one of watched.h or of marks_want_changes(). */
struct place {
	const char *path;
	bool is_way; /* only to see when the next below it comes to be */
};
#define PLACES (64 + 8 * WANTED_PATHS)
static struct place places[PLACES];
static size_t places_used;

/* Of marks_want(). */
static char wanted[WANTED_PATHS][MARK_PATH_BYTES];
static size_t wanted_used;

/* Of these, where they are mounts of their own, every file: tokens of service accounts, which change, and the cluster's store. */
static const char *const secret_mounts[] = {
	"/var/run/secrets/kubernetes.io/serviceaccount",
	"/run/secrets/kubernetes.io/serviceaccount",
	"/run/secrets",
	"/var/lib/etcd",
	"/host/var/lib/etcd",
};

/*
 * What is told of the entries of a directory, beyond their being made and removed, makes each open, read and write of them
 * dearer, to which devices (`dd` from /dev/zero, every program's /dev/null) owe half of their speed: of /dev that is not told.
 */
static __u64 changes_of(const struct place *place, bool is_told_by_kernel)
{
	__u64 changes = FAN_CREATE | FAN_DELETE | FAN_ONDIR;
	const char *path = place->path;

	if (place->is_way)
		return changes;

	/* Of the root itself, which is nobody's entry. */
	if (!is_told_by_kernel || strcmp(path, "/") == 0)
		changes |= FAN_ATTRIB;
	if (!is_told_by_kernel && strcmp(path, "/dev") != 0)
		changes |= FAN_EVENT_ON_CHILD;
	return changes;
}

/* Calls for at most WANTED_PATHS of the lines that are paths. */
static void each_path(const char *lines, void (*on_path)(const char *path, size_t length))
{
	size_t count = 0;

	for (const char *line = lines; line && count < WANTED_PATHS;) {
		const char *end = strchr(line, '\n');
		size_t length = end ? (size_t)(end - line) : strlen(line);

		if (*line == '/' && length < MARK_PATH_BYTES) {
			on_path(line, length);
			count++;
		}
		line = end ? end + 1 : NULL;
	}
}

static void add_place(const char *path, size_t length, bool is_way)
{
	char *copy;

	for (size_t i = 0; i < places_used; i++)
		if (strncmp(places[i].path, path, length) == 0 && !places[i].path[length]) {
			places[i].is_way = places[i].is_way && is_way;
			return;
		}
	if (places_used < PLACES && (copy = strndup(path, length)))
		places[places_used++] = (struct place){ .path = copy, .is_way = is_way };
}

static void add_watched(void)
{
	for (size_t i = places_used; i < COUNT(watched_directories); i++)
		add_place(watched_directories[i], strlen(watched_directories[i]), false);
}

/* All that are above a path, which come before it. */
static void add_ways(const char *path, size_t length)
{
	for (size_t at = 1; at < length; at++)
		if (path[at] == '/')
			add_place(path, at, true);
}

static void want(const char *path, size_t length)
{
	if (wanted_used == WANTED_PATHS)
		return;
	add_ways(path, length);
	memcpy(wanted[wanted_used], path, length);
	wanted[wanted_used++][length] = 0;
}

void marks_want(const char *lines)
{
	add_watched();
	each_path(lines, want);
}

static void want_changes(const char *path, size_t length)
{
	add_ways(path, length);
	add_place(path, length, false);
}

void marks_want_changes(const char *lines)
{
	add_watched();
	each_path(lines, want_changes);
}

void marks_each_directory(void (*on_directory)(void *context, const char *path), void *context)
{
	add_watched();
	for (size_t i = 0; i < places_used; i++)
		if (!places[i].is_way)
			on_directory(context, places[i].path);
}

/* Half of the room is for the last name that is read (hooks/attributes.h). */
bool watched_key(const char *path, struct watched_directory *key)
{
	size_t used = 0, end = strlen(path);
	int depth = 0;

	memset(key, 0, sizeof(*key));
	if (end >= WATCHED_BYTES / 2)
		return false;
	/* From the last slash to the end, and so on to the first. */
	for (size_t at = end; at-- > 0;) {
		if (path[at] != '/')
			continue;
		memcpy(key->names + used, path + at + 1, end - at - 1);
		used += end - at;
		end = at;
		depth++;
	}
	return depth <= WATCHED_DEPTH;
}

/* Descriptors are left for queues and processes. */
static size_t pins_most(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur > 8 * WATCHED_CONTAINERS ? limit.rlim_cur - 8 * WATCHED_CONTAINERS : 0;
}

struct marks *marks_open(void)
{
	struct marks *marks = calloc(1, sizeof(*marks));

	if (!marks)
		fail("no memory for file marks", "Give the machine more memory.", "%s", strerror(errno));
	add_watched();
	marks->pins_most = pins_most();
	marks->directory_queue = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_DFID_NAME, 0);
	return marks;
}

static bool same_file(const char *a, int b)
{
	struct stat first, second;

	return stat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

void marks_leave(struct marks *marks, __u32 leaves)
{
	marks->leaves = leaves;
}

/* None that takes the place of another's (shared.h). */
static struct left_place find_left(const struct marks *marks, int fd, bool is_devices)
{
	struct left_place found = { .identity = inside_identity(fd) };
	struct stat stat;

	if (fstat(fd, &stat) != 0 || (is_devices && stat.st_ino > UINT32_MAX))
		found.identity = 0;
	found.device = major(stat.st_dev) << 20 | minor(stat.st_dev);
	found.devices = is_devices ? stat.st_ino : 0;
	for (size_t i = 0; i < WATCHED_CONTAINERS * LEFT_PLACES && found.identity; i++) {
		const struct container *other = &marks->containers[i / LEFT_PLACES];
		const struct left_place *left = &other->left[i % LEFT_PLACES];

		if (other->mount_namespace && left->identity && left->identity != found.identity &&
		    left->device % LEFT_SYSTEMS == found.device % LEFT_SYSTEMS)
			found.identity = 0;
	}
	return found;
}

static void leave(const struct marks *marks, struct container *container, int root)
{
	int devices = marks->leaves & LEFT_DEVICES ? inside_open(root, "/dev") : -1;

	/* Of that type is devtmpfs, too. */
	if (devices >= 0 && inside_is_of_type(devices, TMPFS_MAGIC))
		container->left[LEFT_OF_DEVICES] = find_left(marks, devices, true);
	if (devices >= 0)
		close(devices);
	/* Its paths are those of the file system, but where only a part of it is mounted. */
	if (marks->leaves & LEFT_ATTRIBUTES && inside_is_of_type(root, OVERLAYFS_SUPER_MAGIC) &&
	    inside_is_whole(container->pid, container->mount))
		container->left[LEFT_OVERLAY] = find_left(marks, root, false);
}

/* Whether it is on the /dev that is left to the kernel side. */
static bool is_left(const struct container *container, int fd)
{
	const struct left_place *left = &container->left[LEFT_OF_DEVICES];
	struct stat stat;

	return left->identity && fstat(fd, &stat) == 0 &&
	       left->device == (major(stat.st_dev) << 20 | minor(stat.st_dev));
}

/* Whether the kernel side tells of entries of that directory, which knows it by its own path, not by that of a link. */
static bool tells_attributes(const struct container *container, int fd)
{
	struct watched_directory key;
	char path[64];

	if (!container->left[LEFT_OVERLAY].identity || inside_mount_of(fd) != container->mount || !inside_path(fd, path, sizeof(path)))
		return false;
	for (size_t i = 0; i < places_used; i++)
		if (strcmp(path, places[i].path) == 0)
			return !places[i].is_way && watched_key(path, &key);
	return false;
}

static void mark_directory(struct marks *marks, const struct container *container, int root, const struct place *watched)
{
	__u32 mount_namespace = container->mount_namespace;
	union {
		struct file_handle handle;
		__u8 bytes[sizeof(struct file_handle) + HANDLE_BYTES];
	} found = { .handle.handle_bytes = HANDLE_BYTES };
	int fd = inside_open(root, watched->path), mount;
	struct stat stat;

	if (fd < 0)
		return;
	__u64 changes = changes_of(watched, tells_attributes(container, fd));
	struct directory *place = NULL;
	for (size_t i = 0; i < DIRECTORIES; i++) {
		struct directory *directory = &marks->directories[i];

		/* The same place again, perhaps another directory by now. */
		if (directory->mount_namespace == mount_namespace && directory->place == watched) {
			place = directory;
			break;
		}
		if (!directory->mount_namespace && !place)
			place = directory;
	}
	/* Without a place for what it is called its events would mean nothing. */
	if (place && !is_left(container, fd) && fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode) &&
	    name_to_handle_at(fd, "", &found.handle, &mount, AT_EMPTY_PATH | AT_HANDLE_FID) == 0 &&
	    (inside_mark(marks->directory_queue, 0, changes | FAN_RENAME, fd) ||
	     inside_mark(marks->directory_queue, 0, changes | FAN_MOVED_FROM | FAN_MOVED_TO, fd))) {
		*place = (struct directory){
			.mount_namespace = mount_namespace,
			.handle_bytes = found.handle.handle_bytes,
			.handle_type = found.handle.handle_type,
			.place = watched,
		};
		memcpy(place->handle, found.handle.f_handle, found.handle.handle_bytes);
	}
	close(fd);
}

/* Volumes, memory, and the kernel's own: only what is written through the container's own mount of them. */
static void mark_mount(void *context, int fd)
{
	const struct container *container = context;

	if (!is_left(container, fd))
		inside_mark(container->queue, FAN_MARK_MOUNT, FAN_CLOSE_WRITE, fd);
}

static const char *pinned_path(size_t index)
{
	return index < COUNT(watched_secrets) ? watched_secrets[index] : wanted[index - COUNT(watched_secrets)];
}

static void unpin(struct marks *marks, int *pin)
{
	if (!*pin)
		return;
	close(*pin);
	marks->pins_used--;
	*pin = 0;
}

/* Not of a mount of its own, which somebody may want to unmount. */
static bool is_pinned(const struct marks *marks, const struct container *container, int fd, const struct stat *stat)
{
	return container->is_overlay && S_ISREG(stat->st_mode) && marks->pins_used < marks->pins_most &&
	       inside_mount_of(fd) == container->mount;
}

/* Secrets, and what is wanted: of a directory each entry, too. */
static void mark_opens(struct marks *marks, struct container *container, int root, size_t index)
{
	int *pin = &container->pins[index];
	int fd = inside_open(root, pinned_path(index));
	struct stat stat;
	bool is_wanted = index >= COUNT(watched_secrets);

	unpin(marks, pin);
	if (fd < 0)
		return;
	if (fstat(fd, &stat) != 0) {
		close(fd);
		return;
	}
	inside_mark(container->queue, 0, FAN_OPEN | (is_wanted && S_ISDIR(stat.st_mode) ? FAN_EVENT_ON_CHILD : 0), fd);
	if (is_pinned(marks, container, fd, &stat)) {
		*pin = fd;
		marks->pins_used++;
	} else {
		close(fd);
	}
}

static void mark_secrets(struct marks *marks, struct container *container, int root)
{
	struct stat place, whole;
	int queue = container->queue;

	for (size_t i = 0; i < COUNT(watched_secrets) + wanted_used; i++)
		mark_opens(marks, container, root, i);
	for (size_t i = 0; i < COUNT(secret_mounts); i++) {
		int fd = inside_open(root, secret_mounts[i]);

		if (fd < 0)
			continue;
		if (fstat(fd, &place) == 0 && fstat(root, &whole) == 0 && place.st_dev != whole.st_dev)
			inside_mark(queue, FAN_MARK_MOUNT, FAN_OPEN, fd);
		close(fd);
	}
}

static __u64 mount_of_root(__u32 pid)
{
	int root = inside_root(pid);
	__u64 mount = root < 0 ? 0 : inside_mount_of(root);

	if (root >= 0)
		close(root);
	return mount;
}

const struct left_place *marks_add(struct marks *marks, __u32 pid, __u32 mount_namespace)
{
	struct container *place = NULL;
	struct statfs system;
	int root, process, queue;

	for (size_t i = 0; i < WATCHED_CONTAINERS; i++) {
		if (marks->containers[i].mount_namespace == mount_namespace)
			return marks->containers[i].left;
		if (!marks->containers[i].mount_namespace && !place)
			place = &marks->containers[i];
	}
	root = inside_root(pid);
	process = syscall(SYS_pidfd_open, pid, 0);
	queue = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC | O_LARGEFILE);
	if (!place || root < 0 || process < 0 || queue < 0 || same_file("/proc/1/root", root) ||
	    fstatfs(root, &system) != 0) {
		if (root >= 0)
			close(root);
		if (process >= 0)
			close(process);
		if (queue >= 0)
			close(queue);
		return NULL;
	}
	*place = (struct container){
		.mount_namespace = mount_namespace,
		.queue = queue,
		.process = process,
		.pid = pid,
		.mount = mount_of_root(pid),
		.is_overlay = (__u32)system.f_type == OVERLAYFS_SUPER_MAGIC,
	};
	leave(marks, place, root);
	/* The whole overlay is the container's, also through mounts that it makes later. Another root may be anybody's. */
	inside_mark(queue, place->is_overlay ? FAN_MARK_FILESYSTEM : FAN_MARK_MOUNT, FAN_CLOSE_WRITE, root);
	mark_secrets(marks, place, root);
	inside_mounts(pid, root, mark_mount, place);
	for (size_t i = 0; i < places_used && marks->directory_queue >= 0; i++)
		mark_directory(marks, place, root, &places[i]);
	close(root);
	return place->left;
}

static __s64 milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* Directories of the machine in which a file that is written makes somebody master of it: what is in them is read seldom. */
static const char *const host_directories[] = {
	"/etc/cron.d",	   "/etc/cron.daily",	  "/etc/cron.hourly", "/etc/kubernetes/manifests", "/etc/pam.d",
	"/etc/profile.d",  "/etc/sudoers.d",	  "/etc/systemd/system", "/root/.ssh",		   "/var/spool/cron",
	"/var/spool/cron/crontabs",
};
/* Files that are written: their directory is everybody's. */
static const char *const host_files[] = { "/etc/crontab", "/etc/ld.so.preload", "/etc/passwd", "/etc/shadow", "/etc/sudoers" };
/* A file that took the place of another has no mark yet. */
#define HOST_LOOK 30000

static void mark_host(struct marks *marks, struct container *host)
{
	int root = inside_root(host->pid);

	if (root < 0)
		return;
	for (size_t i = 0; i < COUNT(watched_secrets); i++)
		mark_opens(marks, host, root, i);
	for (size_t i = 0; i < COUNT(host_directories) + COUNT(host_files); i++) {
		bool is_file = i >= COUNT(host_directories);
		int fd = inside_open(root, is_file ? host_files[i - COUNT(host_directories)] : host_directories[i]);

		if (fd < 0)
			continue;
		inside_mark(host->queue, 0, is_file ? FAN_CLOSE_WRITE : FAN_CLOSE_WRITE | FAN_EVENT_ON_CHILD, fd);
		close(fd);
	}
	close(root);
}

void marks_add_host(struct marks *marks)
{
	/* /proc/1/root may be closed even to root; then we are the host's own, but for an image's root. */
	__u32 pid = inside_namespace(1) ? 1 : getpid();
	struct statfs system;
	struct container host = {
		.mount_namespace = inside_namespace(pid),
		.queue = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC | O_LARGEFILE),
		.process = syscall(SYS_pidfd_open, pid, 0),
		.pid = pid,
		.mount = mount_of_root(pid),
		.is_host = true,
	};

	if (!host.mount_namespace || host.queue < 0 || host.process < 0 || !host.mount ||
	    (pid != 1 && (statfs("/", &system) != 0 || system.f_type == OVERLAYFS_SUPER_MAGIC))) {
		if (host.queue >= 0)
			close(host.queue);
		if (host.process >= 0)
			close(host.process);
		return;
	}
	marks->containers[0] = host;
	mark_host(marks, &marks->containers[0]);
	marks->host_look_at = milliseconds() + HOST_LOOK;
}

void marks_look_again(struct marks *marks, __u32 mount_namespace)
{
	for (size_t i = 0; i < WATCHED_CONTAINERS; i++) {
		struct container *container = &marks->containers[i];

		if (container->mount_namespace != mount_namespace)
			continue;
		/* One that mounts all the time is looked at every two milliseconds, and not more. */
		if (container->looks < (int)COUNT(look_delays))
			container->look_at = milliseconds() + look_delays[COUNT(look_delays) - 1];
		container->looks = COUNT(look_delays);
	}
}

/* What was removed keeps its room on the disk as long as it is held. */
#define PINS_LOOK 30000

static void look_at_pins(struct marks *marks)
{
	for (size_t i = 0; i < WATCHED_CONTAINERS && marks->pins_used; i++) {
		struct container *container = &marks->containers[i];
		int root = -1;

		for (size_t n = 0; n < PINS && container->mount_namespace; n++) {
			struct stat stat;

			if (!container->pins[n] || (fstat(container->pins[n], &stat) == 0 && stat.st_nlink > 0))
				continue;
			if (root < 0)
				root = inside_root(container->pid);
			if (root >= 0)
				mark_opens(marks, container, root, n);
		}
		if (root >= 0)
			close(root);
	}
}

static __s64 sooner(__s64 one, __s64 other)
{
	return one && (!other || one < other) ? one : other;
}

/* Does what is due of that, and when it is due next. */
static __s64 look_for_others(struct marks *marks, __s64 now)
{
	if (marks->host_look_at && marks->host_look_at <= now) {
		mark_host(marks, &marks->containers[0]);
		marks->host_look_at = now + HOST_LOOK;
	}
	if (marks->pins_look_at <= now) {
		look_at_pins(marks);
		marks->pins_look_at = now + PINS_LOOK;
	}
	return sooner(marks->host_look_at, marks->pins_used ? marks->pins_look_at : 0);
}

int marks_look(struct marks *marks, marks_receiver *on_event, void *context)
{
	__s64 now = milliseconds(), next = look_for_others(marks, now);

	next = sooner(next, objects_look(now, on_event, context));

	for (size_t i = 0; i < WATCHED_CONTAINERS; i++) {
		struct container *container = &marks->containers[i];

		if (!container->mount_namespace || !container->looks)
			continue;
		if (container->look_at <= now) {
			int root = inside_root(container->pid);

			if (root >= 0) {
				inside_mounts(container->pid, root, mark_mount, container);
				close(root);
			}
			container->looks--;
			container->look_at = now + look_delays[container->looks > 0 ? container->looks - 1 : 0];
		}
		if (container->looks && (!next || container->look_at < next))
			next = container->look_at;
	}
	return next ? (int)(next - now) : -1;
}

size_t marks_poll(struct marks *marks, struct pollfd *polled)
{
	size_t count = 0;

	for (size_t i = 0; i < WATCHED_CONTAINERS; i++) {
		const struct container *container = &marks->containers[i];

		if (!container->mount_namespace)
			continue;
		polled[count++] = (struct pollfd){ .fd = container->queue, .events = POLLIN };
		polled[count++] = (struct pollfd){ .fd = container->process, .events = POLLIN };
	}
	if (marks->directory_queue >= 0)
		polled[count++] = (struct pollfd){ .fd = marks->directory_queue, .events = POLLIN };
	return count;
}

/* Milliseconds for which it is remembered in which namespace a process is: who writes writes often. */
#define KNOWN_FOR 50

/* 0: it is gone. */
static __u32 namespace_of(__u32 pid)
{
	static struct {
		__u32 pid, mount_namespace;
		__s64 until;
	} known[256];
	__s64 now = milliseconds();
	size_t at = pid % COUNT(known);

	if (known[at].pid != pid || known[at].until < now) {
		known[at].pid = pid;
		known[at].mount_namespace = inside_namespace(pid);
		known[at].until = now + KNOWN_FOR;
	}
	return known[at].mount_namespace;
}

/*
 * Whether a file was reached by a mount of the namespace that it is watched for, and not by who is in it: through
 * /proc/PID/root, or a descriptor. Where that mount was not the root's, such as a token's, the others are looked through,
 * which what is written all day is not worth. Who is gone already may have been in it: the process table knows that.
 */
static bool is_through(const struct container *container, const struct fanotify_event_metadata *event)
{
	__u64 mount = inside_mount_of(event->fd);

	if (!mount || namespace_of(event->pid) == container->mount_namespace)
		return false;
	if (mount == container->mount)
		return true;
	return (container->is_host || (event->mask & FAN_OPEN)) && inside_sees_mount(container->pid, mount);
}

/* What was written may be new: the mark is the file's, not the name's. */
static void mark_written(struct marks *marks, struct container *container, const char *path)
{
	for (size_t i = 0; i < wanted_used; i++) {
		if (strcmp(wanted[i], path) != 0)
			continue;
		int root = inside_root(container->pid);

		if (root >= 0) {
			mark_opens(marks, container, root, COUNT(watched_secrets) + i);
			close(root);
		}
		return;
	}
}

/* What it is watched as, if another name of a watched file was opened. */
static const char *watched_name(const struct container *container, const struct stat *stat, const char *path)
{
	const char *found = NULL;

	for (size_t i = 0; i < PINS && stat->st_nlink > 1; i++) {
		struct stat own;

		/* Its number is another when it was copied up. */
		if (!container->pins[i] || fstat(container->pins[i], &own) != 0 || own.st_dev != stat->st_dev ||
		    own.st_ino != stat->st_ino)
			continue;
		if (strcmp(pinned_path(i), path) == 0)
			return path;
		found = pinned_path(i);
	}
	return found ? found : path;
}

/* A file that was written: if it may be loaded into programs, it is seen when it is. */
static void note_object(struct container *container, int fd, const struct stat *stat)
{
	if (!container->is_host && objects_may_be(&container->objects, fd, stat) && inside_mark(container->queue, 0, FAN_OPEN, fd))
		objects_note(&container->objects, stat);
}

/* Whether its opening is to be told by that name. */
static bool is_watched_open(const char *path)
{
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; i < COUNT(watched_secrets) + wanted_used; i++) {
		const char *watched = pinned_path(i);

		if (strcmp(watched, path) == 0 ||
		    (slash && strncmp(watched, path, slash - path) == 0 && !watched[slash - path]))
			return true;
	}
	return false;
}

/* What readlink(2) adds to the path of a file that was removed meanwhile; one that is called so is there. */
static void strip_removal(const struct container *container, char *path)
{
	static const char suffix[] = " (deleted)";
	size_t length = strlen(path), end = length - (sizeof(suffix) - 1);
	int root, fd;

	if (length < sizeof(suffix) || strcmp(path + end, suffix) != 0)
		return;
	root = inside_root(container->pid);
	fd = root < 0 ? -1 : inside_open(root, path);
	if (fd < 0)
		path[end] = 0;
	else
		close(fd);
	if (root >= 0)
		close(root);
}

static void on_open(const struct container *container, const struct stat *stat, struct file_event *told,
		    marks_receiver *on_event, void *context)
{
	bool is_object = objects_has(&container->objects, stat);

	told->operation = FILE_READ;
	if (!is_object || is_watched_open(told->path))
		on_event(context, told);
	if (is_object)
		objects_opened(told, milliseconds(), on_event, context);
}

/* Events with an open descriptor of the file: what was written, and what was opened. */
static void read_descriptors(struct marks *marks, struct container *container, marks_receiver *on_event, void *context)
{
	static char buffer[65536] __attribute__((aligned(8)));
	char path[MARK_PATH_BYTES], name[64];
	ssize_t length = read(container->queue, buffer, sizeof(buffer));
	struct fanotify_event_metadata *event = (void *)buffer;

	/* A file that cannot be opened any more, such as one of a process that has ended: the kernel took its event away. */
	if (length < 0 && errno != EAGAIN && errno != EINTR) {
		const struct file_event lost = { .operation = FILE_EVENT_LOST, .path = "", .new_path = "" };

		on_event(context, &lost);
	}
	for (; length > 0 && FAN_EVENT_OK(event, length); event = FAN_EVENT_NEXT(event, length)) {
		struct file_event told = {
			.pid = event->pid,
			.mount_namespace = container->mount_namespace,
			.operation = FILE_EVENT_LOST,
			.path = path,
			.new_path = "",
		};
		struct stat stat;
		ssize_t size;

		if (event->fd < 0) {
			if (event->mask & FAN_Q_OVERFLOW)
				on_event(context, &told);
			continue;
		}
		snprintf(name, sizeof(name), "/proc/self/fd/%d", event->fd);
		size = readlink(name, path, sizeof(path) - 1);
		if (fstat(event->fd, &stat) != 0)
			stat = (struct stat){};
		told.inode = stat.st_ino;
		told.is_through_namespace = is_through(container, event);
		if (event->mask & FAN_CLOSE_WRITE)
			note_object(container, event->fd, &stat);
		close(event->fd);
		/* Our own look at a file of the container is no event; what the machine does with its own, neither. */
		if (size < 0 || event->pid == getpid())
			continue;
		if (container->is_host && !told.is_through_namespace)
			continue;
		path[size] = 0;
		strip_removal(container, path);
		told.operation = FILE_WRITE;
		if (event->mask & FAN_CLOSE_WRITE) {
			mark_written(marks, container, path);
			on_event(context, &told);
		}
		told.path = watched_name(container, &stat, path);
		if (event->mask & FAN_OPEN)
			on_open(container, &stat, &told, on_event, context);
	}
}

static const struct directory *find_directory(const struct marks *marks, const struct file_handle *handle)
{
	for (size_t i = 0; i < DIRECTORIES; i++) {
		const struct directory *directory = &marks->directories[i];

		if (directory->mount_namespace && directory->handle_type == handle->handle_type &&
		    directory->handle_bytes == handle->handle_bytes &&
		    memcmp(directory->handle, handle->f_handle, handle->handle_bytes) == 0)
			return directory;
	}
	return NULL;
}

static void join(char *path, const struct directory *directory, const char *name)
{
	snprintf(path, MARK_PATH_BYTES, "%s/%s", strcmp(directory->place->path, "/") == 0 ? "" : directory->place->path, name);
}

/* The paths that an event's records name, old and new; the directory of the first that is known. */
static const struct directory *read_names(const struct marks *marks, const struct fanotify_event_metadata *event,
					  char *path, char *new_path)
{
	const char *at = (const char *)event + event->metadata_len, *end = (const char *)event + event->event_len;
	const struct directory *found = NULL;

	path[0] = new_path[0] = 0;
	while (at + sizeof(struct fanotify_event_info_header) <= end) {
		const struct fanotify_event_info_fid *record = (const void *)at;
		const struct file_handle *handle = (const void *)record->handle;
		__u8 type = record->hdr.info_type;

		if (record->hdr.len == 0 || at + record->hdr.len > end)
			break;
		at += record->hdr.len;
		if (type != FAN_EVENT_INFO_TYPE_DFID_NAME && type != FAN_EVENT_INFO_TYPE_OLD_DFID_NAME &&
		    type != FAN_EVENT_INFO_TYPE_NEW_DFID_NAME)
			continue;
		const struct directory *directory = find_directory(marks, handle);
		const char *name = (const char *)handle->f_handle + handle->handle_bytes;
		if (!directory)
			continue;
		join(type == FAN_EVENT_INFO_TYPE_NEW_DFID_NAME ? new_path : path, directory, name);
		found = found ? found : directory;
	}
	return found;
}

/* `path` itself, or below it. */
static bool is_within(const char *watched, const char *path)
{
	size_t length = strlen(path);

	return strncmp(watched, path, length) == 0 && (watched[length] == 0 || watched[length] == '/');
}

static void mark_within(struct marks *marks, struct container *container, int root, const char *path)
{
	for (size_t i = 0; i < COUNT(watched_secrets) + wanted_used; i++)
		if (is_within(pinned_path(i), path))
			mark_opens(marks, container, root, i);
	for (size_t i = 0; i < places_used; i++)
		if (is_within(places[i].path, path))
			mark_directory(marks, container, root, &places[i]);
}

static bool leads_to_watched(const char *path)
{
	for (size_t i = 0; i < COUNT(watched_secrets) + wanted_used; i++)
		if (is_within(pinned_path(i), path))
			return true;
	for (size_t i = 0; i < places_used; i++)
		if (is_within(places[i].path, path))
			return true;
	return false;
}

/*
 * A place that is watched came to be, another file took it, or it went: the mark is the file's, not the name's. What is below
 * it may be there already, made before the mark on the directory above.
 */
static void mark_new(struct marks *marks, __u32 mount_namespace, const char *path)
{
	for (size_t i = 0; i < WATCHED_CONTAINERS && leads_to_watched(path); i++) {
		struct container *container = &marks->containers[i];

		if (container->mount_namespace != mount_namespace)
			continue;
		int root = inside_root(container->pid);
		if (root < 0)
			return;
		mark_within(marks, container, root, path);
		close(root);
		return;
	}
}

static void read_directories(struct marks *marks, marks_receiver *on_event, void *context)
{
	static char buffer[65536] __attribute__((aligned(8)));
	char path[MARK_PATH_BYTES], new_path[MARK_PATH_BYTES];
	ssize_t length = read(marks->directory_queue, buffer, sizeof(buffer));
	struct fanotify_event_metadata *event = (void *)buffer;
	static const struct {
		unsigned long long mask;
		__u8 operation;
	} operations[] = {
		{ FAN_CREATE | FAN_MOVED_TO, FILE_CREATE },
		{ FAN_DELETE | FAN_MOVED_FROM, FILE_REMOVE },
		{ FAN_RENAME, FILE_RENAME },
		{ FAN_ATTRIB, FILE_ATTRIBUTES },
	};

	for (; length > 0 && FAN_EVENT_OK(event, length); event = FAN_EVENT_NEXT(event, length)) {
		struct file_event told = { .pid = event->pid, .path = path, .new_path = new_path };
		const struct directory *directory;

		if (event->mask & FAN_Q_OVERFLOW) {
			told.operation = FILE_EVENT_LOST;
			on_event(context, &told);
			continue;
		}
		directory = read_names(marks, event, path, new_path);
		if (!directory || event->pid == getpid())
			continue;
		bool is_told = !directory->place->is_way;
		told.mount_namespace = directory->mount_namespace;
		told.is_directory = event->mask & FAN_ONDIR;
		for (size_t i = 0; i < COUNT(operations) && is_told; i++) {
			if (!(event->mask & operations[i].mask))
				continue;
			told.operation = operations[i].operation;
			on_event(context, &told);
		}
		mark_new(marks, told.mount_namespace, path);
		if (new_path[0])
			mark_new(marks, told.mount_namespace, new_path);
	}
}

static __u32 forget(struct marks *marks, struct container *container)
{
	__u32 mount_namespace = container->mount_namespace;

	close(container->queue);
	close(container->process);
	for (size_t i = 0; i < PINS; i++)
		unpin(marks, &container->pins[i]);
	container->mount_namespace = 0;
	for (size_t i = 0; i < DIRECTORIES; i++)
		if (marks->directories[i].mount_namespace == mount_namespace)
			marks->directories[i].mount_namespace = 0;
	return mount_namespace;
}

__u32 marks_read(struct marks *marks, int fd, marks_receiver *on_event, void *context)
{
	if (fd == marks->directory_queue) {
		read_directories(marks, on_event, context);
		return 0;
	}
	for (size_t i = 0; i < WATCHED_CONTAINERS; i++) {
		struct container *container = &marks->containers[i];

		if (!container->mount_namespace)
			continue;
		if (fd == container->queue) {
			read_descriptors(marks, container, on_event, context);
			return 0;
		}
		if (fd == container->process) {
			/* What it did at last is still in the queue. */
			read_descriptors(marks, container, on_event, context);
			return forget(marks, container);
		}
	}
	return 0;
}
