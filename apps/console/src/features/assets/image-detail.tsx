import type { FindingKind, ImageSummary } from "@bulwark/model";
import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { api, type Answer } from "../../api/client.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { useFormat } from "../../ui/format.ts";
import { Detail, Facts } from "../../ui/page.tsx";
import { Raw } from "../../ui/raw.tsx";
import { SeverityBar } from "../../ui/severity.tsx";
import { Failed, Lines } from "../../ui/states.tsx";
import { Exact } from "../../ui/time.tsx";
import classes from "./assets.module.css";
import { ImageFindings } from "./image-findings.tsx";
import { ImagePolicies } from "./image-policies.tsx";
import { PackageTable } from "./package-table.tsx";
import { ScanState } from "./scan-state.tsx";
import type { ChangeImageSearch, ImageSearch, ImageView } from "./search.ts";

interface Props {
  id: string;
  search: ImageSearch;
  change: ChangeImageSearch;
  onClose: () => void;
}

export function ImageDetail({ id, search, change, onClose }: Props) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ["image", id],
    queryFn: async () => api.getImage({ params: { id } }),
  });
  return (
    <Detail
      label={t("field.image")}
      title={data ? <Raw text={data.summary.name} mono={false} /> : "…"}
      onClose={onClose}
      actions={<CopyButton text={location.href} label={t("copy.link")} />}
    >
      {data ? (
        <Body image={data} search={search} change={change} />
      ) : error ? (
        <Failed error={error} retry={() => void refetch()} />
      ) : (
        <Lines count={8} />
      )}
    </Detail>
  );
}

interface BodyProps extends Pick<Props, "search" | "change"> {
  image: Answer<"getImage">;
}

function Body({ image: { summary, report }, search, change }: BodyProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const view = search.view ?? "findings";
  const total = Object.values(summary.findings).reduce((sum, count) => sum + count, 0);
  return (
    <>
      <div className={classes.summary}>
        <SeverityBar counts={summary.findings} />
      </div>
      <Facts
        items={[
          [t("field.os"), report.inventory.os?.name ?? t("image.noOs")],
          [t("field.digest"), summary.digest !== null && <code key="digest">{summary.digest}</code>],
          [t("field.running"), <Running key="running" summary={summary} />],
          [
            t("field.scan"),
            <span key="scan" className={classes.state}>
              <ScanState state={summary.state} /> <Exact time={summary.scannedAt} />
            </span>,
          ],
          [t("image.source"), t(`image.sources.${report.source}`)],
          [
            t("image.looked"),
            lookedFor(report)
              .map((kind) => t(`findingKind.${kind}`))
              .join(" · "),
          ],
          [t("image.sbom"), <SbomLinks key="sbom" image={summary} />],
        ]}
      />
      <Problems report={report} />
      <div className={classes.views}>
        <SegmentedControl<ImageView>
          size="xs"
          aria-label={t("image.view")}
          value={view}
          data={[
            { value: "findings", label: `${t("field.findings")} ${format.number(total)}` },
            { value: "packages", label: `${t("field.packages")} ${format.number(summary.packages)}` },
            { value: "policies", label: t("policy.title") },
          ]}
          onChange={(value) => change({ view: value === "findings" ? undefined : value })}
        />
        {view === "findings" && (
          <Link to="/findings" search={{ image: summary.key, state: "open" }}>
            {t("image.allFindings")}
          </Link>
        )}
      </div>
      {view === "findings" ? (
        <ImageFindings id={summary.key} />
      ) : view === "packages" ? (
        <PackageTable packages={report.inventory.packages} search={search} change={change} />
      ) : (
        <ImagePolicies id={summary.key} />
      )}
    </>
  );
}

/** What the scan looked for: where it did not look, nothing found means nothing. */
function lookedFor({ secrets, malware, checks }: Answer<"getImage">["report"]): FindingKind[] {
  return [
    "vulnerability" as const,
    ...(secrets ? (["secret"] as const) : []),
    ...(malware ? (["malware"] as const) : []),
    ...(checks ? (["misconfiguration"] as const) : []),
  ];
}

/** The bill of materials, as files. */
function SbomLinks({ image: { key, name } }: { image: ImageSummary }) {
  const file = name.replaceAll(/[^\w.-]+/g, "-").replace(/^-+/, "") || "image";
  const href = (format: string): string => `/api/v1/images/${encodeURIComponent(key)}/sbom?format=${format}`;
  return (
    <span className={classes.state}>
      <a href={href("cyclonedx")} download={`${file}.cdx.json`}>
        CycloneDX
      </a>
      <a href={href("spdx")} download={`${file}.spdx.json`}>
        SPDX
      </a>
    </span>
  );
}

function Running({ summary }: { summary: ImageSummary }) {
  const { t } = useTranslation();
  const text = t("image.running", { count: summary.runningContainers });
  if (summary.runningContainers === 0) return text;
  return (
    <Link to="/assets/containers" search={{ q: summary.name, state: "running" }}>
      {text}
    </Link>
  );
}

/** What could not be read, said before what was found, so that a short list is not mistaken for a good one. */
function Problems({ report }: { report: Answer<"getImage">["report"] }) {
  const { t } = useTranslation();
  const broken = [...report.inventory.extractors, ...report.parts].filter(({ state }) => state !== "done");
  if (broken.length === 0) return null;
  return (
    <div className={classes.problem}>
      <h3>{t("image.problems")}</h3>
      <ul>
        {broken.map(({ extractor, errors }) => (
          <li key={extractor}>
            {extractor}
            {errors.slice(0, 5).map(({ path, message }) => (
              <div key={`${path} ${message}`} className="dim">
                <Raw text={`${path}: ${message}`} />
              </div>
            ))}
          </li>
        ))}
      </ul>
    </div>
  );
}
