import type { ActivityEvent, Event as AnyEvent, ProcessEvent } from "@bulwark/model";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "../../api/client.ts";
import { useFormat } from "../../ui/format.ts";
import { EyeIcon, PlayIcon, PlugIcon, StopIcon } from "../../ui/icons.tsx";
import { Raw } from "../../ui/raw.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { activityText } from "./activity-text.ts";
import classes from "./timeline.module.css";

type OfProcess = ProcessEvent | ActivityEvent;

interface Props {
  container: string;
  /** The middle of what is shown; without it the latest events. */
  time?: number;
  /** Ids of events to point out. */
  marked?: string[];
}

const nothing: string[] = [];
const around = 60_000;
const most = 60;

/** What processes of a container did, oldest first. */
export function Timeline({ container, time, marked = nothing }: Props) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ["events-of", container, time],
    queryFn: async () => fetchEvents(container, time),
  });
  if (error) return <Failed error={error} retry={() => void refetch()} />;
  if (!data) return <Lines count={5} />;
  if (data.length === 0) return <p className="dim">{t("timeline.none")}</p>;
  return (
    <ol className={classes.timeline}>
      {data.map((event) => (
        <Entry key={event.id} event={event} marked={marked.includes(event.id)} />
      ))}
    </ol>
  );
}

/** Half before and half after, so that a busy minute does not push the moment itself out. */
export async function fetchEvents(container: string, time: number | undefined): Promise<OfProcess[]> {
  if (time === undefined) {
    const { items } = await api.listEvents({ query: { container, limit: most } });
    return items.filter(isProcess).toReversed();
  }
  const [before, after] = await Promise.all([
    api.listEvents({ query: { container, since: time - around, until: time, limit: most / 2 } }),
    api.listEvents({ query: { container, since: time + 1, until: time + around, limit: 200 } }),
  ]);
  return [...before.items.toReversed(), ...after.items.toReversed().slice(0, most / 2)].filter(isProcess);
}

/** What is asked for is of a container, which audit records are not. */
function isProcess(event: AnyEvent): event is OfProcess {
  return event.kind !== "audit";
}

const icons: Partial<Record<OfProcess["kind"], typeof PlayIcon>> = {
  exec: PlayIcon,
  exit: StopIcon,
  connect: PlugIcon,
  socket: PlugIcon,
  dns: PlugIcon,
};

function Entry({ event, marked }: { event: OfProcess; marked: boolean }) {
  const { t } = useTranslation();
  const format = useFormat();
  const Icon = icons[event.kind] ?? EyeIcon;
  return (
    <li className={classes.entry} data-marked={marked}>
      <time className={classes.time} dateTime={new Date(event.time).toISOString()} title={format.exact(event.time)}>
        {format.clock(event.time)}
      </time>
      <span className={classes.icon} data-kind={event.kind}>
        <Icon size={12} />
      </span>
      <span className={classes.text}>
        <span className="hidden-text">{marked ? t("timeline.marked") : ""}</span>
        <span className={classes.kind}>{t(`eventKind.${event.kind}`)}</span> <What event={event} />
      </span>
    </li>
  );
}

function What({ event }: { event: OfProcess }) {
  const { t } = useTranslation();
  const { process } = event;
  if (!("connection" in event)) return <Raw text={`${process.name}: ${activityText(event)}`} limit={240} />;
  const { connection, exitCode } = event;
  const command = process.arguments.length > 0 ? process.arguments.join(" ") : process.executable;
  if (event.kind === "connect" && connection) {
    const { ip, port } = connection.remote;
    return <Raw text={`${process.name} → ${ip.includes(":") ? `[${ip}]` : ip}:${port}`} />;
  }
  if (event.kind === "exit") {
    return (
      <>
        <Raw text={process.name} /> <span className="dim">{exitCode === null ? "" : statusText(exitCode)}</span>
      </>
    );
  }
  return <Raw text={command} limit={240} />;

  /** As wait(2) has it: the signal in the low seven bits, else the code in the next eight. */
  function statusText(status: number): string {
    const signal = status & 0x7f;
    return signal === 0 ? t("timeline.exitCode", { code: (status >> 8) & 0xff }) : t("timeline.signal", { signal });
  }
}
