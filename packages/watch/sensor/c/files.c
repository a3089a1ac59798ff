/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "marks.h"
#include "output.h"
#include "privileges.h"

/*
 * Without a process: the mounts of a namespace that is watched already are others now; without a namespace either: what
 * the kernel side tells.
 */
struct order {
	__u32 pid;
	__u32 mount_namespace;
	__u32 leaves;
};

/*
 * What is no frame on the way back: a namespace that is watched no more, a queue that overflowed, or a file system that is
 * left to the kernel side.
 */
enum notice_kind { NOTICE_FORGET, NOTICE_LOST, NOTICE_LEFT };
struct notice {
	__u32 kind;
	__u32 mount_namespace;
	struct left_place left; /* of NOTICE_LEFT */
};
_Static_assert(sizeof(struct notice) < sizeof(struct frame_header), "told from a frame by its size");

/* Those that were asked to be watched; a small table, in which a new one may push an old one out, which is then asked again. */
#define SEEN 1024
static __u32 seen[SEEN];
static struct left_system *left_systems;

static void watch_files(int socket);

int files_start(void)
{
	int sockets[2], probe = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC);
	pid_t child;

	if (probe < 0)
		return -1;
	close(probe);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
		return -1;
	child = fork();
	if (child < 0) {
		close(sockets[0]);
		close(sockets[1]);
		return -1;
	}
	if (child > 0) {
		close(sockets[1]);
		return sockets[0];
	}
	close(sockets[0]);
	/* The reader of the sensor's output shall see its end when the sensor ends. */
	close(STDOUT_FILENO);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	keep_privileges(1ull << CAP_SYS_ADMIN | 1ull << CAP_SYS_PTRACE | 1ull << CAP_DAC_READ_SEARCH);
	watch_files(sockets[1]);
	_exit(0);
}

void files_leave(int socket, __u32 leaves, struct left_system *table)
{
	struct order order = { .leaves = leaves };

	if (socket >= 0 && table && send(socket, &order, sizeof(order), MSG_NOSIGNAL) == sizeof(order))
		left_systems = table;
}

void files_watch(int socket, __u32 pid, __u32 mount_namespace)
{
	struct order order = { .pid = pid, .mount_namespace = mount_namespace };
	__u32 *slot = &seen[mount_namespace % SEEN];

	if (socket < 0 || *slot == mount_namespace)
		return;
	if (send(socket, &order, sizeof(order), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(order))
		*slot = mount_namespace;
}

void files_mounted(int socket, __u32 mount_namespace)
{
	struct order order = { .mount_namespace = mount_namespace };

	if (socket >= 0 && seen[mount_namespace % SEEN] == mount_namespace)
		send(socket, &order, sizeof(order), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The kernel side looks at it while it is written: the place counts when its file system is there. */
static void leave(const struct notice *notice)
{
	const struct left_place *left = &notice->left;
	struct left_system *place = &left_systems[left->device % LEFT_SYSTEMS];
	bool is_shared = place->identity == left->identity && place->mount_namespace != notice->mount_namespace;

	__atomic_store_n(&place->identity, 0, __ATOMIC_SEQ_CST);
	place->devices = left->devices;
	place->mount_namespace = is_shared ? 0 : notice->mount_namespace;
	__atomic_store_n(&place->identity, left->identity, __ATOMIC_SEQ_CST);
}

/* A container that starts again has the same overlay, but another namespace. */
static void forget(__u32 mount_namespace)
{
	if (seen[mount_namespace % SEEN] == mount_namespace)
		seen[mount_namespace % SEEN] = 0;
	for (size_t i = 0; left_systems && i < LEFT_SYSTEMS; i++)
		if (left_systems[i].mount_namespace == mount_namespace)
			__atomic_store_n(&left_systems[i].identity, 0, __ATOMIC_SEQ_CST);
}

long files_read(int socket, void *frame, size_t size, __u64 *lost)
{
	for (;;) {
		ssize_t length = recv(socket, frame, size, MSG_DONTWAIT);
		struct notice notice;

		if (length < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		if (length == 0)
			return -1;
		if (length >= (ssize_t)sizeof(struct frame_header))
			return length;
		memcpy(&notice, frame, sizeof(notice));
		if (notice.kind == NOTICE_LOST)
			(*lost)++;
		else if (notice.kind == NOTICE_LEFT)
			leave(&notice);
		else
			forget(notice.mount_namespace);
	}
}

/* --- in the process of its own */

static const struct left_place none;

static void tell(int socket, __u32 kind, __u32 mount_namespace, struct left_place left)
{
	struct notice notice = { kind, mount_namespace, left };

	send(socket, &notice, sizeof(notice), MSG_NOSIGNAL);
}

static void tell_file(int socket, const struct file_event *event)
{
	static __u8 bytes[sizeof(struct frame_file) + 2 * MARK_PATH_BYTES];
	struct frame_file frame = {
		.actor.pid = event->pid,
		.actor.mount_namespace = event->mount_namespace,
		.inode = event->inode,
		.operation = event->operation,
		.flags = (event->is_directory ? FILE_IS_DIRECTORY : 0) |
			 (event->is_through_namespace ? FILE_THROUGH_NAMESPACE : 0) |
			 (event->was_written ? FILE_WAS_WRITTEN : 0),
		.lengths = { strlen(event->path), strlen(event->new_path) },
	};
	size_t length = sizeof(frame) + frame.lengths[0] + frame.lengths[1];

	frame_begin(&frame.header, FRAME_FILE, length);
	memcpy(bytes, &frame, sizeof(frame));
	memcpy(bytes + sizeof(frame), event->path, frame.lengths[0]);
	memcpy(bytes + sizeof(frame) + frame.lengths[0], event->new_path, frame.lengths[1]);
	send(socket, bytes, length, MSG_NOSIGNAL);
}

static void on_event(void *socket, const struct file_event *event)
{
	if (event->operation == FILE_EVENT_LOST)
		tell(*(int *)socket, NOTICE_LOST, event->mount_namespace, none);
	else
		tell_file(*(int *)socket, event);
}

static void carry_out(struct marks *marks, const struct order *order, int socket)
{
	const struct left_place *left;

	if (!order->mount_namespace) {
		marks_leave(marks, order->leaves);
	} else if (!order->pid) {
		marks_look_again(marks, order->mount_namespace);
	} else if (!(left = marks_add(marks, order->pid, order->mount_namespace))) {
		tell(socket, NOTICE_FORGET, order->mount_namespace, none);
	} else {
		for (int i = 0; i < LEFT_PLACES; i++)
			if (left[i].identity)
				tell(socket, NOTICE_LEFT, order->mount_namespace, left[i]);
	}
}

static void watch_files(int socket)
{
	struct marks *marks = marks_open();

	marks_add_host(marks);
	for (;;) {
		struct pollfd polled[MARKS_POLLED];
		size_t count = marks_poll(marks, polled + 1) + 1;

		polled[0] = (struct pollfd){ .fd = socket, .events = POLLIN };
		if (poll(polled, count, marks_look(marks, on_event, &socket)) < 0 && errno != EINTR)
			return;
		if (polled[0].revents & POLLIN) {
			struct order order;

			if (recv(socket, &order, sizeof(order), 0) != sizeof(order))
				return;
			carry_out(marks, &order, socket);
		} else if (polled[0].revents) {
			return;
		}
		for (size_t i = 1; i < count; i++) {
			__u32 gone;

			if (polled[i].revents && (gone = marks_read(marks, polled[i].fd, on_event, &socket)))
				tell(socket, NOTICE_FORGET, gone, none);
		}
	}
}
