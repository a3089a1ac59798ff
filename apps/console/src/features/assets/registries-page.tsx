import type { ConnectedRegistry } from "@bulwark/model";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { useFormat } from "../../ui/format.ts";
import { LayersIcon, PlusIcon } from "../../ui/icons.tsx";
import { Facts, Page, Tag } from "../../ui/page.tsx";
import { Raw } from "../../ui/raw.tsx";
import { Empty, Failed, Lines, useProblem } from "../../ui/states.tsx";
import { Exact } from "../../ui/time.tsx";
import { AssetTabs } from "./assets-tabs.tsx";
import classes from "./assets.module.css";
import { RegistryForm, type Hook } from "./registry-form.tsx";

const registriesKey = ["registries"];

/** Registries whose images are scanned. */
export function RegistriesPage() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [editing, setEditing] = useState<ConnectedRegistry | "new">();
  const [hook, setHook] = useState<Hook>();
  const { data, error, refetch } = useQuery({
    queryKey: registriesKey,
    queryFn: async () => api.listRegistries(),
    refetchInterval: 5000,
  });
  const reload = (): void => void client.invalidateQueries({ queryKey: registriesKey });
  return (
    <Page title={t("assets.title")} aside={<AssetTabs />} scroll>
      <section className={classes.registries} aria-label={t("registries.title")}>
        <div className={classes.registriesHead}>
          <p className="dim">{t("registries.text")}</p>
          <Button leftSection={<PlusIcon size={14} />} onClick={() => setEditing("new")}>
            {t("registries.connect")}
          </Button>
        </div>
        {hook && <HookNote hook={hook} close={() => setHook(undefined)} />}
        {error ? (
          <Failed error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Lines count={4} />
        ) : data.items.length === 0 ? (
          <Empty icon={<LayersIcon size={20} />} title={t("registries.none")} text={t("registries.noneText")} />
        ) : (
          data.items.map((registry) => (
            <RegistryCard
              key={registry.id}
              registry={registry}
              edit={() => setEditing(registry)}
              reload={reload}
              onHook={setHook}
            />
          ))
        )}
      </section>
      {editing && (
        <RegistryForm
          registry={editing === "new" ? undefined : editing}
          close={() => setEditing(undefined)}
          saved={(made) => {
            setEditing(undefined);
            if (made) setHook(made);
            reload();
          }}
        />
      )}
    </Page>
  );
}

/** Shown this once: only its hash is kept. */
function HookNote({ hook, close }: { hook: Hook; close: () => void }) {
  const { t } = useTranslation();
  // The server may not know by which name people reach it; whoever reads this does.
  const url = hook.url.replace(/^https:\/\/BULWARK/, location.origin);
  return (
    <section className={classes.hook} aria-label={t("registries.hook")}>
      <p>{t("registries.hookText")}</p>
      <p className={classes.hookLine}>
        <code>{url}</code>
        <CopyButton text={url} />
      </p>
      <Button size="xs" variant="default" onClick={close}>
        {t("tokens.done")}
      </Button>
    </section>
  );
}

const tones = { waiting: "plain", ok: "good", partial: "warn", failed: "bad" } as const;

interface CardProps {
  registry: ConnectedRegistry;
  edit: () => void;
  reload: () => void;
  onHook: (hook: Hook) => void;
}

function RegistryCard({ registry, edit, reload, onHook }: CardProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const { id, settings, state, reason, remedy, listedAt, nextAt, images, hasCredentials } = registry;
  const params = { id };
  const scan = useMutation({
    mutationFn: async () => api.scanRegistry({ params, body: { again: false } }),
    onSuccess: reload,
  });
  const remake = useMutation({ mutationFn: async () => api.newRegistryHook({ params }), onSuccess: onHook, gcTime: 0 });
  const remove = useMutation({ mutationFn: async () => api.removeRegistry({ params }), onSuccess: reload });
  const [sure, setSure] = useState(false);
  const { title: problem } = useProblem(scan.error ?? remake.error ?? remove.error);
  return (
    <section className={classes.registry} aria-label={settings.name}>
      <h2 className={classes.registryName}>
        <Raw text={settings.name} mono={false} /> <Tag tone={tones[state]}>{t(`registries.states.${state}`)}</Tag>
      </h2>
      <Facts
        items={[
          [t("registries.address"), <Raw key="url" text={settings.url} />],
          [t("registries.repositories"), settings.repositories.join(", ")],
          [t("registries.tags"), t("registries.tagsOf", { tags: settings.tags.join(", "), count: settings.newest })],
          [
            t("assets.images"),
            <Link key="images" to="/assets/scans" search={{ origin: "registry" }}>
              {format.number(images)}
            </Link>,
          ],
          [t("registries.user"), hasCredentials ? t("registries.known") : t("registries.anonymous")],
          [t("registries.listed"), listedAt !== null && <Exact key="listed" time={listedAt} />],
          [t("registries.next"), nextAt === null ? t("registries.onPush") : <Exact key="next" time={nextAt} />],
          [t("registries.reason"), reason !== "" && <Raw key="reason" text={reason} mono={false} limit={500} />],
          [t("registries.remedy"), remedy !== "" && <Raw key="remedy" text={remedy} mono={false} limit={300} />],
        ]}
      />
      <div className={classes.registryButtons}>
        <Button size="xs" variant="default" loading={scan.isPending} onClick={() => scan.mutate()}>
          {t("registries.scan")}
        </Button>
        <Button size="xs" variant="default" onClick={edit}>
          {t("registries.change")}
        </Button>
        <Button size="xs" variant="default" loading={remake.isPending} onClick={() => remake.mutate()}>
          {t("registries.newHook")}
        </Button>
        {sure ? (
          <>
            <Button size="xs" color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
              {t("registries.removeSure", { name: settings.name })}
            </Button>
            <Button size="xs" variant="default" onClick={() => setSure(false)}>
              {t("tokens.cancel")}
            </Button>
          </>
        ) : (
          <Button size="xs" variant="default" onClick={() => setSure(true)}>
            {t("registries.remove")}
          </Button>
        )}
      </div>
      {(scan.isError || remake.isError || remove.isError) && <p role="alert">{problem}</p>}
    </section>
  );
}
