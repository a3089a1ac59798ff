/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail.h"

#define BTF_FILE "/sys/kernel/btf/vmlinux"
#define OTHER_KERNEL "Needs Linux 5.13 or later with BTF and BPF tracing; run it with --verbose to see what the kernel says."

const char hooks[] = "exec tp_btf/sched_process_exec\n"
		     "fork tp_btf/task_newtask\n"
		     "exit tp_btf/sched_process_exit\n"
		     "connect tp_btf/inet_sock_set_state\n"
		     "accept tp_btf/inet_sock_set_state\n"
		     "snapshot iter/task\n";

/* The compiled kernel side, inside this program: there is no second file to lose or to swap. */
__asm__(".section .rodata\n"
	".balign 8\n"
	".global kernel_side\nkernel_side:\n"
	".incbin \"" KERNEL_SIDE "\"\n"
	".global kernel_side_end\nkernel_side_end:\n"
	".previous\n");
extern const char kernel_side[], kernel_side_end[];

static bool is_verbose;
/* The program that was refused, from what libbpf prints: its functions return only the number of the error. */
static char refused[64];

__attribute__((format(printf, 2, 0))) static int listen_to_libbpf(enum libbpf_print_level level, const char *format,
								  va_list values)
{
	char line[512];
	va_list copy;

	if (is_verbose && level != LIBBPF_DEBUG) {
		va_copy(copy, values);
		vfprintf(stderr, format, copy);
		va_end(copy);
	}
	if (level == LIBBPF_WARN) {
		vsnprintf(line, sizeof(line), format, values);
		if (strstr(line, "failed to load"))
			sscanf(line, "libbpf: prog '%63[^']", refused);
	}
	return 0;
}

static struct bpf_program *program(struct bpf_object *object, const char *name)
{
	struct bpf_program *found = bpf_object__find_program_by_name(object, name);

	if (!found)
		fail("incomplete build", "Run make clean all in packages/watch/sensor.", "program %s is missing", name);
	return found;
}

static struct bpf_map *map(struct bpf_object *object, const char *name)
{
	struct bpf_map *found = bpf_object__find_map_by_name(object, name);

	if (!found)
		fail("incomplete build", "Run make clean all in packages/watch/sensor.", "map %s is missing", name);
	return found;
}

/* Parameters of the tracepoint's function: the data pointer, the task, and since 6.16 whether the group is dead. */
static bool exit_tells_group_dead(const struct btf *kernel)
{
	int id = btf__find_by_name_kind(kernel, "btf_trace_sched_process_exit", BTF_KIND_TYPEDEF);
	const struct btf_type *type = id > 0 ? btf__type_by_id(kernel, id) : NULL;

	while (type && (btf_is_typedef(type) || btf_is_ptr(type)))
		type = btf__type_by_id(kernel, type->type);
	return type && btf_is_func_proto(type) && btf_vlen(type) >= 3;
}

/* Since 5.18, together with iterators that may sleep. */
static bool reads_foreign_memory(const struct btf *kernel)
{
	int id = btf__find_by_name_kind(kernel, "bpf_func_id", BTF_KIND_ENUM);
	const struct btf_type *type = id > 0 ? btf__type_by_id(kernel, id) : NULL;

	for (int i = 0; type && i < btf_vlen(type); i++)
		if (strcmp(btf__name_by_offset(kernel, btf_enum(type)[i].name_off), "BPF_FUNC_copy_from_user_task") == 0)
			return true;
	return false;
}

static void configure(struct bpf_object *object, const struct load_options *options, int cpus)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct settings settings = { .include_host = options->host };
	struct bpf_program *snapshot = program(object, "on_snapshot");

	if (!kernel)
		fail("cannot read " BTF_FILE, OTHER_KERNEL, "%s", strerror(errno));
	settings.exit_tells_group_dead = exit_tells_group_dead(kernel);
	if (!reads_foreign_memory(kernel))
		bpf_program__set_flags(snapshot, bpf_program__flags(snapshot) & ~BPF_F_SLEEPABLE);
	btf__free(kernel);

	if (bpf_map__set_initial_value(map(object, ".rodata.settings"), &settings, sizeof(settings)) != 0 ||
	    bpf_map__set_max_entries(map(object, "ring"), options->ring_bytes) != 0 ||
	    bpf_map__set_max_entries(map(object, "losses"), cpus) != 0)
		fail("cannot configure the kernel side", "This is a defect; please report it.", "%s", strerror(errno));
}

static void load_programs(struct bpf_object *object)
{
	int error = bpf_object__load(object);

	if (error == 0)
		return;
	if (refused[0])
		fail("the kernel refuses a program", OTHER_KERNEL, "%s: %s", refused, strerror(-error));
	if (error == -EPERM)
		fail("may not load eBPF programs", "Add CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN; look for kernel lockdown.",
		     "%s", strerror(-error));
	fail("the kernel refuses the programs' maps", OTHER_KERNEL, "%s", strerror(-error));
}

static void find_host(struct bpf_object *object)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);

	if (bpf_prog_test_run_opts(bpf_program__fd(program(object, "find_host")), &run) != 0)
		fail("cannot find the host's namespaces", OTHER_KERNEL, "find_host: %s", strerror(errno));
	if (run.retval == HOST_IS_ELSEWHERE)
		fail("runs in a PID namespace of its own", "Start it on the host, or in a pod with hostPID: true.",
		     "process ids would mean nothing here");
	if (run.retval != HOST_FOUND)
		fail("cannot find the host's namespaces", "This is a defect; please report it.", "pid 1 is not an ancestor");
}

static void attach(struct bpf_object *object, const char *name)
{
	if (!bpf_program__attach(program(object, name)))
		fail("the kernel does not attach a program", OTHER_KERNEL, "%s: %s", name, strerror(errno));
}

static int open_snapshot(struct bpf_object *object)
{
	struct bpf_link *link = bpf_program__attach_iter(program(object, "on_snapshot"), NULL);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;

	if (fd < 0)
		fail("the kernel does not attach a program", OTHER_KERNEL, "on_snapshot: %s", strerror(errno));
	return fd;
}

static const struct cpu_loss *map_losses(struct bpf_object *object, int cpus)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t bytes = (cpus * sizeof(struct cpu_loss) + page - 1) / page * page;
	void *losses = mmap(NULL, bytes, PROT_READ, MAP_SHARED, bpf_map__fd(map(object, "losses")), 0);

	if (losses == MAP_FAILED)
		fail("cannot read the loss counters", OTHER_KERNEL, "%s", strerror(errno));
	return losses;
}

struct loaded load(const struct load_options *options, on_frame receive, void *context)
{
	struct loaded loaded = { .cpus = libbpf_num_possible_cpus() };
	struct bpf_object *object;

	is_verbose = options->verbose;
	libbpf_set_print(listen_to_libbpf);
	if (access(BTF_FILE, R_OK) != 0)
		fail("the kernel does not describe its types", "Needs a kernel with CONFIG_DEBUG_INFO_BTF=y.", BTF_FILE ": %s",
		     strerror(errno));
	object = bpf_object__open_mem(kernel_side, kernel_side_end - kernel_side, NULL);
	if (!object)
		fail("incomplete build", "Run make clean all in packages/watch/sensor.", "kernel side: %s", strerror(errno));
	configure(object, options, loaded.cpus);
	load_programs(object);
	find_host(object);

	loaded.ring = ring_buffer__new(bpf_map__fd(map(object, "ring")), receive, context, NULL);
	if (!loaded.ring)
		fail("cannot read the ring buffer", OTHER_KERNEL, "%s", strerror(errno));
	loaded.losses = map_losses(object, loaded.cpus);
	attach(object, "on_exec");
	attach(object, "on_fork");
	attach(object, "on_exit");
	attach(object, "on_socket_state");
	loaded.snapshot = open_snapshot(object);
	/* Links and mapped memory keep the programs and maps: their own descriptors are not needed any more. */
	bpf_object__close(object);
	return loaded;
}
