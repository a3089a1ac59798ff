/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail.h"
#include "flows.h"
#include "guard.h"
#include "marks.h"

#define BTF_FILE "/sys/kernel/btf/vmlinux"
#define OTHER_KERNEL "Needs Linux 5.13 or later with BTF and BPF tracing; run it with --verbose to see what the kernel says."

/*
 * What serves which event. Those that are not optional are the sensor; without one of the others it runs on, and its
 * list of hooks does not have the event. `type`: of the tracepoint's function, for kernels that do not have it.
 */
static const struct hook {
	const char *event, *hook, *program, *type;
	bool in_cgroup, is_optional;
} hooks[] = {
	{ "exec", "tp_btf/sched_process_exec", "on_exec", NULL, false, false },
	{ "fork", "tp_btf/task_newtask", "on_fork", NULL, false, false },
	{ "exit", "tp_btf/sched_process_exit", "on_exit", NULL, false, false },
	{ "connect,accept,listen", "tp_btf/inet_sock_set_state", "on_socket_state", NULL, false, false },
	{ "established,closed", "tp_btf/inet_sock_set_state", "on_course", NULL, false, true },
	{ "call", "tp_btf/cap_capable", "on_capable", "btf_trace_cap_capable", false, true },
	{ "traced", "tp_btf/sys_exit", "on_call_end", "btf_trace_sys_exit", false, true },
	{ "signal", "tp_btf/signal_generate", "on_signal", "btf_trace_signal_generate", false, true },
	{ "setting", "cgroup/sysctl", "on_setting", NULL, true, true },
	{ "device", "cgroup/dev", "on_device", NULL, true, true },
	{ "create", "tp_btf/ctime_ns_xchg", "on_device_file", "btf_trace_ctime_ns_xchg", false, true },
	{ "create", "tp_btf/ctime_xchg_skip", "on_device_file_again", "btf_trace_ctime_xchg_skip", false, true },
	{ "attributes,truncate", "tp_btf/inode_set_ctime_to_ts", "on_attributes", "btf_trace_inode_set_ctime_to_ts", false, true },
	{ "send", "cgroup/connect4", "on_connect4", NULL, true, true },
	{ "send", "cgroup/connect6", "on_connect6", NULL, true, true },
	{ "send", "cgroup/sendmsg4", "on_sendmsg4", NULL, true, true },
	{ "send", "cgroup/sendmsg6", "on_sendmsg6", NULL, true, true },
	{ "bind", "cgroup/post_bind4", "on_bind4", NULL, true, true },
	{ "bind", "cgroup/post_bind6", "on_bind6", NULL, true, true },
	{ "dns", "cgroup_skb/ingress", "dns_answer", NULL, true, true },
	{ "unix", "cgroup/connect_unix", "on_connect_unix", "bpf_cast_to_kern_ctx", true, true },
	{ "flow", "cgroup/sock_create", "flow_socket", NULL, true, true },
	{ "flow", "tp_btf/inet_sock_set_state", "flow_state", NULL, false, true },
	{ "flow,dns", "cgroup_skb/egress", "flow_egress", NULL, true, true },
	{ "flow,dns", "cgroup_skb/ingress", "flow_ingress", NULL, true, true },
};
/* enum bpf_attach_type of include/uapi/linux/bpf.h */
#define CGROUP_UNIX_CONNECT 49
#define HOOKS (sizeof(hooks) / sizeof(*hooks))

/* The compiled kernel side, inside this program: there is no second file to lose or to swap. */
__asm__(".section .rodata\n"
	".balign 8\n"
	".global kernel_side\nkernel_side:\n"
	".incbin \"" KERNEL_SIDE ".bpf.o\"\n"
	".global kernel_side_end\nkernel_side_end:\n"
	".balign 8\n"
	".global kernel_side_casts\nkernel_side_casts:\n"
	".incbin \"" KERNEL_SIDE "-casts.bpf.o\"\n"
	".global kernel_side_casts_end\nkernel_side_casts_end:\n"
	".previous\n");
extern const char kernel_side[], kernel_side_end[], kernel_side_casts[], kernel_side_casts_end[];

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

static void set_call(__u8 *policies, int number, __u8 policy)
{
	if (number > 0 && number < CALL_NUMBERS)
		policies[number] = policy;
}

/* Whether a name is in a list with commas between. */
static bool is_listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, length) == 0 && (at[length] == ',' || !at[length]))
			return true;
	}
	return false;
}

/* `traces`: names of the TRACED_CALLs that are told of. */
static void fill_tables(struct call_table *calls, struct traced_table *traced, const char *traces)
{
#if defined(__x86_64__)
#define SET(table, x86_64, arm64, i386, policy) \
	set_call(table->native, x86_64, policy); \
	set_call(table->compat, i386, policy);
	*calls = (struct call_table){ .clone = 56, .clone3 = 435, .mkdir = 83, .mkdirat = 258, .link = 86, .linkat = 265,
				       .truncate = 76, .ftruncate = 77 };
#elif defined(__aarch64__)
#define SET(table, x86_64, arm64, i386, policy) set_call(table->native, arm64, policy);
	*calls = (struct call_table){ .clone = 220, .clone3 = 435, .mkdir = 34, .mkdirat = 34, .link = 37, .linkat = 37,
				       .truncate = 45, .ftruncate = 46 };
#else
#error "calls.h has no numbers for this machine"
#endif
#define OTHER_CALL(name, x86_64, arm64, i386, texts) SET(calls, x86_64, arm64, i386, texts)
#define CALL(name, x86_64, arm64, i386, texts) SET(calls, x86_64, arm64, i386, CALL_WANTED | texts)
#define ATTRIBUTE_CALL(name, x86_64, arm64, i386) SET(calls, x86_64, arm64, i386, CALL_ATTRIBUTES)
#define MAYBE_ATTRIBUTE_CALL(name, x86_64, arm64, i386) SET(calls, x86_64, arm64, i386, CALL_MAYBE_ATTRIBUTES)
#define CONTENT_CALL(name, x86_64, arm64, i386) SET(calls, x86_64, arm64, i386, CALL_CONTENT)
#define TRACED_CALL(name, x86_64, arm64, i386, policy)        \
	if (is_listed(traces, #name)) {                       \
		SET(traced, x86_64, arm64, i386, policy)      \
	}
#include "calls.h"
#undef TRACED_CALL
#undef CONTENT_CALL
#undef MAYBE_ATTRIBUTE_CALL
#undef ATTRIBUTE_CALL
#undef CALL
#undef OTHER_CALL
#undef SET
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

static bool is_of_flows(const char *program)
{
	return strncmp(program, "flow_", 5) == 0;
}

/* Of hooks/dns.h. */
static bool is_of_names(const char *program)
{
	return strncmp(program, "dns_", 4) == 0;
}

/* Programs and maps of hooks/network-policy.h. */
static bool is_of_network(const char *name)
{
	return strncmp(name, "net_", 4) == 0;
}

/* Programs of hooks/end-exec.h and hooks/cut-network.h. */
static bool is_of_policies(const char *program)
{
	return strncmp(program, "cut_", 4) == 0 || strcmp(program, "end_exec") == 0;
}

/* Where nobody can ask for policies, what carries them out is not loaded: the kernel looks at it for half of the start. */
static void leave_out_policies(struct bpf_object *object)
{
	struct bpf_program *each;

	bpf_object__for_each_program(each, object)
		if (is_of_policies(bpf_program__name(each)))
			bpf_program__set_autoload(each, false);
}

/* What is not used takes no memory. */
static void leave_out_network(struct bpf_object *object)
{
	struct bpf_program *each;
	struct bpf_map *map;

	bpf_object__for_each_program(each, object)
		if (is_of_network(bpf_program__name(each)))
			bpf_program__set_autoload(each, false);
	bpf_object__for_each_map(map, object)
		if (is_of_network(bpf_map__name(map)))
			bpf_map__set_autocreate(map, false);
}

/* Whether the kernel has what a hook needs. A type is a typedef of a tracepoint, or a function for programs. */
static bool is_there(const struct btf *kernel, const struct hook *hook)
{
	return !hook->type || btf__find_by_name_kind(kernel, hook->type, BTF_KIND_TYPEDEF) > 0 ||
	       btf__find_by_name_kind(kernel, hook->type, BTF_KIND_FUNC) > 0;
}

/* Since 6.2. */
static bool has_casts(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	bool found = kernel && btf__find_by_name_kind(kernel, "bpf_rdonly_cast", BTF_KIND_FUNC) > 0;

	btf__free(kernel);
	return found;
}

static struct bpf_object *open_kernel_side(const struct load_options *options)
{
	struct bpf_object *object =
		options->no_casts ? bpf_object__open_mem(kernel_side, kernel_side_end - kernel_side, NULL)
				  : bpf_object__open_mem(kernel_side_casts, kernel_side_casts_end - kernel_side_casts, NULL);

	if (!object)
		fail("incomplete build", "Run make clean all in packages/watch/sensor.", "kernel side: %s", strerror(errno));
	return object;
}

static void configure(struct bpf_object *object, const struct load_options *options, int cpus)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct settings settings = {
		.include_host = options->host,
		.tells_names = !options->flow_ms && !options->no_names && options->cgroup >= 0,
		.tells_environment = options->environment,
		.rate = options->rate,
		.burst = 2 * options->rate,
	};
	struct call_table calls;
	struct traced_table traced = {};
	struct bpf_program *snapshot = program(object, "on_snapshot");

	fill_tables(&calls, &traced, options->calls);
	if (!kernel)
		fail("cannot read " BTF_FILE, OTHER_KERNEL, "%s", strerror(errno));
	settings.exit_tells_group_dead = exit_tells_group_dead(kernel);
	if (!reads_foreign_memory(kernel))
		bpf_program__set_flags(snapshot, bpf_program__flags(snapshot) & ~BPF_F_SLEEPABLE);
	/* By number: the libbpf of older distributions does not know the name. */
	bpf_program__set_type(program(object, "on_connect_unix"), BPF_PROG_TYPE_CGROUP_SOCK_ADDR);
	bpf_program__set_expected_attach_type(program(object, "on_connect_unix"), CGROUP_UNIX_CONNECT);
	for (size_t i = 0; i < HOOKS; i++)
		if (!is_there(kernel, &hooks[i]) || (hooks[i].in_cgroup && options->cgroup < 0) ||
		    (is_of_flows(hooks[i].program) && !options->flow_ms) ||
		    (is_of_names(hooks[i].program) && (options->flow_ms || options->no_names)))
			bpf_program__set_autoload(program(object, hooks[i].program), false);
	if (!options->flow_ms || options->cgroup < 0)
		bpf_program__set_autoload(program(object, "flow_sockets"), false);
	if (!options->calls)
		bpf_program__set_autoload(program(object, "on_call_end"), false);
	if (!options->courses) {
		bpf_program__set_autoload(program(object, "on_course"), false);
		bpf_map__set_autocreate(map(object, "courses"), false);
	}
	if (!guard_is_wanted())
		leave_out_policies(object);
	if (options->no_network)
		leave_out_network(object);
	btf__free(kernel);

	if (bpf_map__set_initial_value(map(object, ".rodata.settings"), &settings, sizeof(settings)) != 0 ||
	    bpf_map__set_initial_value(map(object, ".rodata.calls"), &calls, sizeof(calls)) != 0 ||
	    bpf_map__set_initial_value(map(object, ".rodata.traced"), &traced, sizeof(traced)) != 0 ||
	    bpf_map__set_max_entries(map(object, "ring"), options->ring_bytes) != 0 ||
	    bpf_map__set_max_entries(map(object, "losses"), cpus) != 0)
		fail("cannot configure the kernel side", "This is a defect; please report it.", "%s", strerror(errno));
}

/*
 * False: the kernel does not take what reads with casts, counts flows, tells names or enforces network policies; without that
 * it may take the rest.
 */
static bool load_programs(struct bpf_object *object, const struct load_options *options)
{
	int error = bpf_object__load(object);

	if (error == 0)
		return true;
	if (!options->no_casts || is_of_flows(refused) || is_of_network(refused) || is_of_names(refused))
		return false;
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

static bool attach(struct bpf_object *object, const struct hook *hook, int cgroup)
{
	struct bpf_program *which = program(object, hook->program);

	if (!bpf_program__autoload(which))
		return false;
	if (hook->in_cgroup ? !!bpf_program__attach_cgroup(which, cgroup) : !!bpf_program__attach(which))
		return true;
	if (!hook->is_optional)
		fail("the kernel does not attach a program", OTHER_KERNEL, "%s: %s", hook->program, strerror(errno));
	return false;
}

static void attach_all(struct bpf_object *object, int cgroup, struct loaded *loaded)
{
	size_t at = 0;

	for (size_t i = 0; i < HOOKS; i++)
		if (attach(object, &hooks[i], cgroup))
			at += snprintf(loaded->hooks + at, sizeof(loaded->hooks) - at, "%s %s\n", hooks[i].event,
				       hooks[i].hook);
	snprintf(loaded->hooks + at, sizeof(loaded->hooks) - at, "snapshot iter/task\n");
}

/* Files of cgroups that the root of the hierarchy does not have: Documentation/admin-guide/cgroup-v2.rst. */
static bool is_whole(int cgroup)
{
	return cgroup >= 0 && faccessat(cgroup, "cgroup.type", F_OK, 0) != 0;
}

/* The version 2 hierarchy as a process has it mounted, the whole of it where it has that. -1: it has none. */
static int open_hierarchy(const char *process)
{
	char path[512], type[64], name[768];
	int best = -1;
	FILE *mounts;

	snprintf(name, sizeof(name), "/proc/%s/mounts", process);
	mounts = fopen(name, "re");
	while (mounts && !is_whole(best) && fscanf(mounts, "%*s %511s %63s %*[^\n]", path, type) == 2) {
		if (strcmp(type, "cgroup2") != 0)
			continue;
		snprintf(name, sizeof(name), "/proc/%s/root%s", process, path);
		int found = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (found >= 0 && (best < 0 || is_whole(found))) {
			if (best >= 0)
				close(best);
			best = found;
		} else if (found >= 0) {
			close(found);
		}
	}
	if (mounts)
		fclose(mounts);
	return best;
}

/*
 * The root of the version 2 hierarchy, in which every process is, also where containers use version 1. A pod has a cgroup
 * namespace of its own and sees no more than itself: a program attached there would be blind to all others. It is given the
 * node's hierarchy as a volume, or may look at what the first process of the node sees. -1: it is not mounted.
 */
static int open_cgroup_root(void)
{
	int own = open_hierarchy("self"), first;

	if (is_whole(own))
		return own;
	first = open_hierarchy("1");
	if (first < 0)
		return own;
	if (own >= 0)
		close(own);
	return first;
}

static int open_iterator(struct bpf_object *object, const char *name)
{
	struct bpf_link *link = bpf_program__attach_iter(program(object, name), NULL);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;

	if (fd < 0)
		fail("the kernel does not attach a program", OTHER_KERNEL, "%s: %s", name, strerror(errno));
	return fd;
}

/* Sockets that are there already; new ones are told of by then. */
static void read_sockets(struct bpf_object *object)
{
	char nothing[4096];
	ssize_t size;

	if (!bpf_program__autoload(program(object, "flow_sockets")))
		return;
	int fd = open_iterator(object, "flow_sockets");
	do
		size = read(fd, nothing, sizeof(nothing));
	while (size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR)));
	close(fd);
}

static void *map_memory(struct bpf_object *object, const char *name, size_t bytes, int access)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, (bytes + page - 1) / page * page, access, MAP_SHARED, bpf_map__fd(map(object, name)), 0);

	if (memory == MAP_FAILED)
		fail("cannot share memory with the kernel side", OTHER_KERNEL, "%s: %s", name, strerror(errno));
	return memory;
}

/* What every program that it takes is attached for: all are optional. */
static __u32 leaves(const struct loaded *loaded)
{
	bool devices = strstr(loaded->hooks, "tp_btf/ctime_ns_xchg") && strstr(loaded->hooks, "tp_btf/ctime_xchg_skip");
	bool attributes = strstr(loaded->hooks, "tp_btf/inode_set_ctime_to_ts");

	return (devices ? LEFT_DEVICES : 0) | (attributes ? LEFT_ATTRIBUTES : 0);
}

static void tell_watched_directory(void *directories, const char *path)
{
	struct watched_directory key;
	__u8 nothing = 0;

	if (watched_key(path, &key) && bpf_map_update_elem(*(int *)directories, &key, &nothing, BPF_ANY) != 0)
		fail("cannot configure the kernel side", "This is a defect; please report it.", "%s", strerror(errno));
}

struct loaded load(struct load_options *options, on_frame receive, void *context)
{
	struct loaded loaded = { .cpus = libbpf_num_possible_cpus() };
	struct bpf_object *object;

	is_verbose = options->verbose;
	libbpf_set_print(listen_to_libbpf);
	if (access(BTF_FILE, R_OK) != 0)
		fail("the kernel does not describe its types", "Needs a kernel with CONFIG_DEBUG_INFO_BTF=y.", BTF_FILE ": %s",
		     strerror(errno));
	options->cgroup = open_cgroup_root();
	options->no_network = !guard_is_wanted();
	options->no_casts = options->no_casts || !has_casts();
	object = open_kernel_side(options);
	configure(object, options, loaded.cpus);
	while (!load_programs(object, options)) {
		bpf_object__close(object);
		if (!options->no_casts)
			options->no_casts = true;
		else if (is_of_network(refused))
			options->no_network = true;
		else if (is_of_names(refused))
			options->no_names = true;
		else
			options->flow_ms = 0;
		refused[0] = 0;
		object = open_kernel_side(options);
		configure(object, options, loaded.cpus);
	}
	find_host(object);
	int directories = bpf_map__fd(map(object, "watched_directories"));
	marks_each_directory(tell_watched_directory, &directories);
	loaded.guard = guard_start(object, options->cgroup);
	loaded.flows = options->flow_ms && options->cgroup >= 0 ? flows_start(object, options->flow_ms) : -1;

	loaded.ring = ring_buffer__new(bpf_map__fd(map(object, "ring")), receive, context, NULL);
	if (!loaded.ring)
		fail("cannot read the ring buffer", OTHER_KERNEL, "%s", strerror(errno));
	loaded.losses = map_memory(object, "losses", loaded.cpus * sizeof(struct cpu_loss), PROT_READ);
	loaded.reader = map_memory(object, "reader", sizeof(struct reader), PROT_READ | PROT_WRITE);
	attach_all(object, options->cgroup, &loaded);
	loaded.leaves = leaves(&loaded);
	if (loaded.leaves)
		loaded.left_systems = map_memory(object, "left_systems", LEFT_SYSTEMS * sizeof(struct left_system),
						 PROT_READ | PROT_WRITE);
	read_sockets(object);
	loaded.snapshot = open_iterator(object, "on_snapshot");
	/* Links and mapped memory keep the programs and maps: their own descriptors are not needed any more. */
	bpf_object__close(object);
	if (options->cgroup >= 0)
		close(options->cgroup);
	return loaded;
}
