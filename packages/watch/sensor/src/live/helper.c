/* SPDX-License-Identifier: Apache-2.0 */
/* What the live tests do inside their containers and busybox cannot. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* memory FILE ARGUMENT…: copies the file into a memfd and executes that. */
static void from_memory(char **arguments)
{
	char buffer[65536];
	ssize_t size;
	int from = open(arguments[0], O_RDONLY | O_CLOEXEC), memory = memfd_create("payload", MFD_CLOEXEC);

	if (from < 0 || memory < 0)
		err(1, "%s", arguments[0]);
	while ((size = read(from, buffer, sizeof(buffer))) > 0)
		if (write(memory, buffer, size) != size)
			err(1, "memfd");
	fexecve(memory, arguments + 1, environ);
	err(1, "fexecve");
}

/*
 * shell ADDRESS PORT: listens, connects to itself, moves the connection onto descriptors 0 to 2 as a reverse shell does,
 * and only then forks a command.
 */
static void on_socket(char **arguments)
{
	int one = 1, family = strchr(arguments[0], ':') ? AF_INET6 : AF_INET;
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(atoi(arguments[1])) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(arguments[1])) };
	struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t size = family == AF_INET ? sizeof(v4) : sizeof(v6);
	int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(family, arguments[0], family == AF_INET ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, address, size) || listen(listener, 1) || connect(client, address, size))
		err(1, "%s", arguments[0]);
	for (int fd = 0; fd < 3; fd++)
		dup2(client, fd);
	if (fork() == 0) {
		execl("/bin/true", "/bin/true", "on-socket", NULL);
		_exit(1);
	}
	wait(NULL);
	exit(0);
}

static void *leave_second(void *nothing)
{
	usleep(50000);
	syscall(SYS_exit, 9); /* exit(2): of this thread alone */
	return nothing;
}

/* threads: the leader ends first, another thread last. */
static void threads(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, leave_second, NULL);
	syscall(SYS_exit, 5);
}

/* raw: a raw socket, refused or not. */
static void raw(void)
{
	close(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

/* chroots COUNT: chroot(2) to the same root so often. */
static void chroots(int count)
{
	while (count-- > 0)
		if (chroot("/"))
			err(1, "chroot");
}

/* compat-mount: mount(2) by the table of 32-bit programs, which fails for want of the directory. */
static void compat_mount(void)
{
#if defined(__x86_64__)
	static char *low, type[] = "tmpfs", target[] = "/nowhere";

	low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	memcpy(low, target, sizeof(target));
	memcpy(low + 64, type, sizeof(type));
	mkdir("/nowhere", 0700);
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(21), "b"(low + 64), "c"(low), "d"(low + 64), "S"(0), "D"(0) : "memory");
#endif
}

/* rightless: calls that ask for no right. */
static void rightless(void)
{
	char *memory = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	close(memfd_create("note", 0));
	mprotect(memory, 4096, PROT_READ);
	mprotect(memory, 4096, PROT_READ | PROT_EXEC);
	mmap(NULL, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	personality(0xffffffff);
	close(2);
	fcntl(1, F_SETFD, 0);
	fcntl(1, F_DUPFD, 2);
}

/* truncate PATH LENGTH: by its path, so that it is not opened. */
static void truncate_path(char **arguments)
{
	if (truncate(arguments[0], atoi(arguments[1])))
		err(1, "%s", arguments[0]);
}

/* map PATH: maps a file to be executed, as a loader does, and stays a while. */
static void map(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (mmap(NULL, 64, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		err(1, "%s", path);
	close(fd);
	usleep(300000);
}

/* sibling: makes a process that is its parent's child (CLONE_PARENT), not its own, and runs no other program. */
static void sibling(void)
{
	long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

	if (child < 0)
		err(1, "clone");
	if (child > 0)
		usleep(50000);
}

static void connect_unix(const char *name, socklen_t length)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, name, length);
	connect(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + length);
	close(fd);
}

/* sockets: two datagrams to one peer, a listener, and Unix sockets that nobody has. */
static void sockets(void)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(4999), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(4998), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int datagrams = socket(AF_INET, SOCK_DGRAM, 0), listener = socket(AF_INET, SOCK_STREAM, 0);

	for (int i = 0; i < 2; i++)
		sendto(datagrams, "x", 1, 0, (struct sockaddr *)&peer, sizeof(peer));
	if (bind(listener, (struct sockaddr *)&own, sizeof(own)) || listen(listener, 1))
		err(1, "listen");
	connect_unix("/nowhere.sock", 14);
	connect_unix("\0nowhere", 8);
}

int main(int count, char **arguments)
{
	if (count > 3 && strcmp(arguments[1], "memory") == 0)
		from_memory(arguments + 2);
	if (count == 4 && strcmp(arguments[1], "shell") == 0)
		on_socket(arguments + 2);
	if (count == 2 && strcmp(arguments[1], "threads") == 0)
		threads();
	if (count == 2 && strcmp(arguments[1], "raw") == 0)
		return raw(), 0;
	if (count == 3 && strcmp(arguments[1], "setuid") == 0)
		return setuid(atoi(arguments[2]));
	if (count == 3 && strcmp(arguments[1], "chroots") == 0)
		return chroots(atoi(arguments[2])), 0;
	if (count == 2 && strcmp(arguments[1], "compat-mount") == 0)
		return compat_mount(), 0;
	if (count == 2 && strcmp(arguments[1], "rightless") == 0)
		return rightless(), 0;
	if (count == 3 && strcmp(arguments[1], "map") == 0)
		return map(arguments[2]), 0;
	if (count == 4 && strcmp(arguments[1], "truncate") == 0)
		return truncate_path(arguments + 2), 0;
	if (count == 2 && strcmp(arguments[1], "sibling") == 0)
		return sibling(), 0;
	if (count == 2 && strcmp(arguments[1], "sockets") == 0)
		return sockets(), 0;
	errx(2, "memory FILE ARGUMENT… | shell ADDRESS PORT | threads");
}
