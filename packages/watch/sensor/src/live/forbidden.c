/* SPDX-License-Identifier: Apache-2.0 */
/* Does what is forbidden, often, and says how it ended: for the live tests of what is enforced. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A copy of a program that is no file, as the name of its descriptor. */
static char *copy_to_memory(const char *path)
{
	static char name[64], buffer[65536];
	int from = open(path, O_RDONLY), memory = memfd_create("payload", 0);
	ssize_t size;

	while ((size = read(from, buffer, sizeof(buffer))) > 0)
		if (write(memory, buffer, size) != size)
			err(1, "memfd");
	snprintf(name, sizeof(name), "/proc/%d/fd/%d", getpid(), memory);
	return name;
}

/* execs PATH COUNT: how often it was refused, ended before it did anything, and ran. */
static void execs(char *path, int count)
{
	int refused = 0, ended = 0, ran = 0, status;

	while (count-- > 0) {
		pid_t child = vfork();

		if (child == 0) {
			execl(path, "true", NULL);
			_exit(errno == EPERM ? 99 : 98);
		}
		waitpid(child, &status, 0);
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			ended++;
		else if (WIFEXITED(status) && WEXITSTATUS(status) == 99)
			refused++;
		else
			ran++;
	}
	printf("refused %d ended %d ran %d\n", refused, ended, ran);
}

static int one_try(const char *how, struct sockaddr *address, socklen_t size)
{
	int family = address->sa_family, type = strcmp(how, "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM;
	int fd = strcmp(how, "raw") == 0 ? socket(family, SOCK_RAW, IPPROTO_ICMP) : socket(family, type | SOCK_NONBLOCK, 0), result;

	if (fd < 0)
		err(1, "socket");
	result = strcmp(how, "tcp") == 0 ? connect(fd, address, size) :
					   sendto(fd, "\x08\0\xf7\xff\0\0\0\0", 8, 0, address, size);
	result = result < 0 ? errno : 0;
	close(fd);
	return result;
}

/* connects tcp|udp|raw ADDRESS PORT COUNT: how often it was refused, and not. */
static void connects(char **arguments)
{
	int count = atoi(arguments[3]), refused = 0, passed = 0;
	bool v6 = strchr(arguments[1], ':');
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(atoi(arguments[2])) };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(arguments[2])) };

	if (inet_pton(v6 ? AF_INET6 : AF_INET, arguments[1], v6 ? (void *)&a6.sin6_addr : (void *)&a4.sin_addr) != 1)
		errx(2, "%s", arguments[1]);
	while (count-- > 0) {
		int error = v6 ? one_try(arguments[0], (void *)&a6, sizeof(a6)) : one_try(arguments[0], (void *)&a4, sizeof(a4));

		if (error == EPERM)
			refused++;
		else
			passed++;
	}
	printf("refused %d passed %d\n", refused, passed);
}

/* packets FILE: holds a packet socket; the file is there when it does. */
static void packets(const char *file)
{
	if (socket(AF_PACKET, SOCK_DGRAM, 0) < 0)
		err(1, "packet socket");
	close(open(file, O_CREAT | O_WRONLY, 0600));
	sleep(60);
}

int main(int count, char **arguments)
{
	if (count == 4 && strcmp(arguments[1], "execs") == 0)
		return execs(arguments[2], atoi(arguments[3])), 0;
	if (count == 4 && strcmp(arguments[1], "memory") == 0)
		return execs(copy_to_memory(arguments[2]), atoi(arguments[3])), 0;
	if (count == 6 && strcmp(arguments[1], "connects") == 0)
		return connects(arguments + 2), 0;
	if (count == 3 && strcmp(arguments[1], "packets") == 0)
		return packets(arguments[2]), 0;
	errx(2, "packets FILE | execs|memory PATH COUNT | connects tcp|udp|raw ADDRESS PORT COUNT");
}
