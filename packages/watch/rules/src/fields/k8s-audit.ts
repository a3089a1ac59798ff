/** Fields of the source `k8s_audit`, as Falco's plugins `k8saudit` and `json` have them (`ka.*`, `jevt.*`). */
export const k8sAuditFields = `
evt.num number
evt.time text
evt.time.s text
evt.time.iso8601 text
evt.datetime text
evt.datetime.s text
evt.rawtime number
evt.rawtime.s number
evt.rawtime.ns number
evt.pluginname text
evt.plugininfo text
evt.source text
evt.type text
evt.hostname text
evt.is_async boolean
evt.asynctype text
jevt.value text argument
jevt.obj text
jevt.rawtime number
jevt.time text
jevt.time.iso8601 text
ka.auditid text
ka.stage text
ka.auth.decision text
ka.auth.reason text
ka.auth.openshift.decision text
ka.auth.openshift.username text
ka.validations.admission.policy.failure text
ka.user.name text
ka.user.groups text list
ka.impuser.name text
ka.impuser.groups text list
ka.verb text
ka.uri text
ka.uri.param text argument
ka.sourceips text list optional
ka.cluster.name text
ka.target.name text
ka.target.namespace text
ka.target.resource text
ka.target.subresource text
ka.target.pod.name text
ka.req.binding.subjects text list
ka.req.binding.role text
ka.req.binding.subject.has_name text argument
ka.req.configmap.name text
ka.req.configmap.obj text
ka.req.pod.containers.image text list optional
ka.req.container.image text
ka.req.pod.containers.image.repository text list optional
ka.req.container.image.repository text
ka.req.pod.host_ipc text
ka.req.pod.host_network text
ka.req.container.host_network text
ka.req.pod.host_pid text
ka.req.pod.containers.host_port text list optional
ka.req.pod.containers.privileged text list optional
ka.req.container.privileged text
ka.req.pod.containers.allow_privilege_escalation text list optional
ka.req.pod.containers.read_only_fs text list optional
ka.req.pod.run_as_user text
ka.req.pod.containers.run_as_user text list optional
ka.req.pod.containers.eff_run_as_user text list optional
ka.req.pod.run_as_group text
ka.req.pod.containers.run_as_group text list optional
ka.req.pod.containers.eff_run_as_group text list optional
ka.req.pod.containers.proc_mount text list optional
ka.req.role.rules text list
ka.req.role.rules.apiGroups text list optional
ka.req.role.rules.nonResourceURLs text list optional
ka.req.role.rules.verbs text list optional
ka.req.role.rules.resources text list optional
ka.req.pod.fs_group text
ka.req.pod.supplemental_groups text list
ka.req.pod.containers.add_capabilities text list optional
ka.req.service.type text
ka.req.service.ports text list optional
ka.req.pod.volumes.hostpath text list optional
ka.req.volume.hostpath text argument
ka.req.pod.volumes.flexvolume_driver text list optional
ka.req.pod.volumes.volume_type text list optional
ka.resp.name text
ka.response.code text
ka.response.reason text
ka.useragent text
`;
