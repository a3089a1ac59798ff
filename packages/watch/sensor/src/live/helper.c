/* SPDX-License-Identifier: Apache-2.0 */
/* What the live tests do inside their containers and busybox cannot. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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

int main(int count, char **arguments)
{
	if (count > 3 && strcmp(arguments[1], "memory") == 0)
		from_memory(arguments + 2);
	if (count == 4 && strcmp(arguments[1], "shell") == 0)
		on_socket(arguments + 2);
	if (count == 2 && strcmp(arguments[1], "threads") == 0)
		threads();
	errx(2, "memory FILE ARGUMENT… | shell ADDRESS PORT | threads");
}
