/**
 * Fields of the source `syscall` as Falco 0.44 knows them (`falco --list=syscall`), the container plugin's and the
 * Kubernetes ones among them. Those under `bulwark.` are our own: what our sensor sees and Falco's does not.
 */
export const syscallFields = `
evt.num number
evt.time text
evt.time.s text
evt.time.iso8601 text
evt.datetime text
evt.datetime.s text
evt.rawtime number
evt.rawtime.s number
evt.rawtime.ns number
evt.reltime number
evt.reltime.s number
evt.reltime.ns number
evt.pluginname text
evt.plugininfo text
evt.source text
evt.is_async boolean
evt.asynctype text
evt.hostname text
evt.latency number
evt.latency.s number
evt.latency.ns number
evt.latency.human text
evt.deltatime number
evt.deltatime.s number
evt.deltatime.ns number
evt.outputtime text
evt.dir text
evt.type text
evt.type.is number argument
syscall.type text
evt.category text
evt.cpu number
evt.args text
evt.arg text argument
evt.rawarg number argument
evt.info text
evt.buffer bytes
evt.buflen number
evt.res text
evt.rawres number
evt.failed boolean
evt.is_io boolean
evt.is_io_read boolean
evt.is_io_write boolean
evt.io_dir text
evt.is_wait boolean
evt.wait_latency number
evt.is_syslog boolean
evt.count number
evt.count.error number
evt.count.error.file number
evt.count.error.net number
evt.count.error.memory number
evt.count.error.other number
evt.count.exit number
evt.count.procinfo number
evt.count.threadinfo number
evt.around number argument
evt.abspath text optional
evt.buflen.in number
evt.buflen.out number
evt.buflen.file number
evt.buflen.file.in number
evt.buflen.file.out number
evt.buflen.net number
evt.buflen.net.in number
evt.buflen.net.out number
evt.is_open_read boolean
evt.is_open_write boolean
evt.is_open_exec boolean
evt.is_open_create boolean
proc.exe text process
proc.pexe text process
proc.aexe text ancestors
proc.exepath text process
proc.pexepath text process
proc.aexepath text ancestors
proc.name text process
proc.pname text process
proc.aname text ancestors
proc.args text optional process
proc.aargs text ancestors
proc.cmdline text process
proc.pcmdline text process
proc.acmdline text ancestors
proc.cmdnargs number process
proc.cmdlenargs number process
proc.exeline text process
proc.env text optional process
proc.aenv text ancestors
proc.cwd text
proc.loginshellid number process
proc.tty number process
proc.pid number process
proc.ppid number process
proc.apid number ancestors
proc.vpid number process
proc.pvpid number process
proc.sid number process
proc.sname text process
proc.sid.exe text process
proc.sid.exepath text process
proc.vpgid number process
proc.vpgid.name text process
proc.vpgid.exe text process
proc.vpgid.exepath text process
proc.pgid number process
proc.pgid.name text process
proc.pgid.exe text process
proc.pgid.exepath text process
proc.is_sid_leader boolean process
proc.is_vpgid_leader boolean process
proc.is_pgid_leader boolean process
proc.duration number
proc.ppid.duration number
proc.pid.ts number process
proc.ppid.ts number process
proc.is_exe_writable boolean process
proc.is_exe_upper_layer boolean process
proc.is_exe_lower_layer boolean process
proc.is_exe_from_memfd boolean process
proc.exe_ino number process
proc.exe_ino.ctime number process
proc.exe_ino.mtime number process
proc.exe_ino.ctime_duration_proc_start number process
proc.exe_ino.ctime_duration_pidns_start number process
proc.pidns_init_start_ts number process
proc.is_container_healthcheck boolean process
proc.is_container_liveness_probe boolean process
proc.is_container_readiness_probe boolean process
proc.fdopencount number
proc.fdlimit number
proc.fdusage number
proc.vmsize number
proc.vmrss number
proc.vmswap number
proc.nthreads number
proc.nchilds number
proc.cpu number
proc.stdin.type text process
proc.stdout.type text process
proc.stderr.type text process
proc.stdin.name text process
proc.stdout.name text process
proc.stderr.name text process
thread.cap_permitted text
thread.cap_inheritable text
thread.cap_effective text
thread.pfmajor number
thread.pfminor number
thread.tid number
thread.ismain boolean
thread.vtid number
thread.nametid text
thread.vnametid text
thread.exectime number
thread.totexectime number
thread.cgroups text process
thread.cgroup text argument process
thread.cpu number
thread.cpu.user number
thread.cpu.system number
thread.vmsize number
thread.vmrss number
user.uid number
user.name text
user.homedir text
user.shell text
user.loginuid number process
user.loginname text process
group.gid number
group.name text
container.id text process
container.full_id text process
container.name text process
container.image text process
container.image.id text process
container.type text process
container.privileged boolean process
container.mounts text process
container.mount text argument process
container.mount.source text argument process
container.mount.dest text argument process
container.mount.mode text argument process
container.mount.rdwr text argument process
container.mount.propagation text argument process
container.image.repository text process
container.image.tag text process
container.image.digest text process
container.healthcheck text process
container.liveness_probe text process
container.readiness_probe text process
container.start_ts number process
container.duration number
container.ip text process
container.cni.json text process
container.host_pid boolean process
container.host_network boolean process
container.host_ipc boolean process
container.label text argument process
container.labels text process
fd.num number
fd.type text
fd.typechar text
fd.types text list optional
fd.name text
fd.directory text
fd.filename text
fd.ip ip any
fd.cip ip
fd.sip ip
fd.lip ip
fd.rip ip
fd.port number any
fd.cport number
fd.sport number
fd.lport number
fd.rport number
fd.l4proto text
fd.sockfamily text
fd.is_server boolean
fd.uid text
fd.containername text
fd.containerdirectory text
fd.proto text any
fd.cproto text
fd.sproto text
fd.lproto text
fd.rproto text
fd.net net any
fd.cnet net
fd.snet net
fd.lnet net
fd.rnet net
fd.connected boolean
fd.name_changed boolean
fd.cip.name text any
fd.sip.name text any
fd.lip.name text any
fd.rip.name text any
fd.dev number
fd.dev.major number
fd.dev.minor number
fd.ino number
fd.nameraw text
fd.is_upper_layer boolean
fd.is_lower_layer boolean
fs.path.name text
fs.path.nameraw text
fs.path.source text
fs.path.sourceraw text
fs.path.target text
fs.path.targetraw text
syslog.facility.str text
syslog.facility number
syslog.severity.str text
syslog.severity number
syslog.message text
fdlist.nums text
fdlist.names text
fdlist.cips text
fdlist.sips text
fdlist.cports text
fdlist.sports text
k8s.pod.name text process
k8s.pod.id text process
k8s.pod.uid text process
k8s.pod.sandbox_id text process
k8s.pod.full_sandbox_id text process
k8s.pod.label text argument process
k8s.pod.labels text process
k8s.pod.ip text process
k8s.pod.cni.json text process
k8s.rc.name text process
k8s.rc.id text process
k8s.rc.label text argument process
k8s.rc.labels text process
k8s.svc.name text process
k8s.svc.id text process
k8s.svc.label text argument process
k8s.svc.labels text process
k8s.ns.name text process
k8s.ns.id text process
k8s.ns.label text argument process
k8s.ns.labels text process
k8s.rs.name text process
k8s.rs.id text process
k8s.rs.label text argument process
k8s.rs.labels text process
k8s.deployment.name text process
k8s.deployment.id text process
k8s.deployment.label text argument process
k8s.deployment.labels text process
bulwark.fd.foreign boolean
bulwark.fd.domain text any
bulwark.dns.name text
bulwark.dns.domain text any
bulwark.dns.kind text
bulwark.dns.code text
bulwark.dns.answer text any
bulwark.proc.foreign_exe boolean process
bulwark.proc.foreign_cwd boolean
bulwark.proc.kernel_parent boolean process
bulwark.proc.script text process
bulwark.proc.main boolean
bulwark.evt.refused boolean
bulwark.workload.kind text process
bulwark.workload.name text process
bulwark.service_account text process
`;
