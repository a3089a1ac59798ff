/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#include "fail.h"

/* Kept free for notices, so that a loss can be told of while events are being lost. */
#define NOTICE_ROOM 4096

void output_open(struct output *output, int fd, size_t capacity)
{
	struct stat stat;

	/* A file or terminal never makes us wait for long, and may be shared with others who do not expect the flag. */
	if (fstat(fd, &stat) == 0 && (S_ISFIFO(stat.st_mode) || S_ISSOCK(stat.st_mode)))
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	*output = (struct output){ .fd = fd, .capacity = capacity + NOTICE_ROOM };
	output->bytes = malloc(output->capacity);
	if (!output->bytes)
		fail("no memory for the output buffer", "Choose a smaller --buffer.", "%zu bytes", capacity);
}

static void put(struct output *output, const void *bytes, size_t length)
{
	size_t end = (output->start + output->used) % output->capacity;
	size_t before_wrap = output->capacity - end;

	if (before_wrap > length)
		before_wrap = length;
	memcpy(output->bytes + end, bytes, before_wrap);
	memcpy(output->bytes, (const __u8 *)bytes + before_wrap, length - before_wrap);
	output->used += length;
}

static bool take_in(struct output *output, const void *frame, size_t length, size_t room_kept)
{
	struct frame_header header;

	if (output->used + length + room_kept > output->capacity)
		return false;
	memcpy(&header, frame, sizeof(header));
	header.sequence = output->sequence++;
	put(output, &header, sizeof(header));
	put(output, (const __u8 *)frame + sizeof(header), length - sizeof(header));
	return true;
}

void output_event(struct output *output, const void *frame, size_t length)
{
	if (!take_in(output, frame, length, NOTICE_ROOM))
		output->dropped++;
}

bool output_notice(struct output *output, void *frame, size_t length)
{
	return take_in(output, frame, length, 0);
}

bool output_flush(struct output *output)
{
	while (output->used > 0) {
		size_t before_wrap = output->capacity - output->start;
		size_t first = output->used < before_wrap ? output->used : before_wrap;
		struct iovec parts[2] = {
			{ output->bytes + output->start, first },
			{ output->bytes, output->used - first },
		};
		ssize_t written = writev(output->fd, parts, 2);

		if (written < 0) {
			if (errno == EINTR)
				continue;
			return errno == EAGAIN;
		}
		output->start = (output->start + written) % output->capacity;
		output->used -= written;
	}
	return true;
}

void frame_begin(void *frame, __u16 type, size_t length)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	*(struct frame_header *)frame = (struct frame_header){
		.magic = FRAME_MAGIC,
		.version = FRAME_VERSION,
		.type = type,
		.length = length,
		.time = now.tv_sec * 1000000000ull + now.tv_nsec,
	};
}
