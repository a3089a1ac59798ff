/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared objects that were written in a container and are loaded into a program there: that a file was mapped is told by no
 * hook that costs nothing elsewhere, but that such a file is opened, and then who opened it is looked at.
 */
#ifndef BULWARK_OBJECTS_H
#define BULWARK_OBJECTS_H

#include <sys/stat.h>

#include "marks.h"

/* Of one container. When there are as many, no others are seen. */
#define OBJECTS 1024
struct objects {
	size_t used;
	struct {
		dev_t device;
		ino_t inode;
	} all[OBJECTS];
};

/* Whether a file that was written may be one, and is not known yet: its opening is to be told to objects_opened(). */
bool objects_may_be(const struct objects *objects, int fd, const struct stat *stat);
void objects_note(struct objects *objects, const struct stat *stat);
bool objects_has(const struct objects *objects, const struct stat *stat);

/* One of them was opened: if it is mapped to be executed, now or soon, FILE_EXECUTE is told. `now`: milliseconds, monotonic. */
void objects_opened(const struct file_event *opened, __s64 now, marks_receiver *on_event, void *context);

/* Looks once more at those that opened one. When it is to be called again; 0: not at all. */
__s64 objects_look(__s64 now, marks_receiver *on_event, void *context);

#endif
