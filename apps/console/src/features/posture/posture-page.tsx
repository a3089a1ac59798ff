import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { compact } from "../../search.ts";
import { Page, Pane } from "../../ui/page.tsx";
import { Path } from "../../ui/path.tsx";
import { Line } from "../../ui/raw.tsx";
import { tab, Tabs } from "../../ui/tabs.tsx";
import { AssetResults } from "./asset-results.tsx";
import { AssetsTable } from "./assets-table.tsx";
import { CheckDetail } from "./check-detail.tsx";
import { ChecksTable } from "./checks-table.tsx";
import { ExceptionsTable } from "./exceptions-table.tsx";
import { benchmarksQuery } from "./posture-query.ts";
import { assetOf, postureViews, type PostureSearch, type PostureView } from "./search.ts";
import { SetsTable } from "./sets-table.tsx";
import { Trend } from "./trend.tsx";

export type ChangePosture = (part: PostureSearch, what?: "some" | "all") => void;

/** How hosts and clusters are set up: by benchmark, by host or cluster, and what somebody decided to leave. */
export function PosturePage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/app/posture" });
  const change = useChangeSearch();
  const view = search.asset === undefined ? (search.set === undefined ? (search.view ?? "sets") : "sets") : "assets";
  return (
    <Page title={t("posture.title")} aside={<Views view={view} />} bar={<Where search={search} />}>
      <Pane>
        <View view={view} search={search} change={change} />
      </Pane>
      {search.id !== undefined && (
        <CheckDetail key={search.id} id={search.id} asset={search.asset} onClose={() => change({ id: undefined })} />
      )}
    </Page>
  );
}

function View({ view, search, change }: { view: PostureView; search: PostureSearch; change: ChangePosture }) {
  if (search.asset !== undefined) return <AssetResults asset={search.asset} search={search} change={change} />;
  if (search.set !== undefined) return <ChecksTable set={search.set} search={search} change={change} />;
  if (view === "assets") return <AssetsTable change={change} />;
  if (view === "exceptions") return <ExceptionsTable change={change} />;
  return (
    <>
      <Trend />
      <SetsTable change={change} />
    </>
  );
}

function useChangeSearch(): ChangePosture {
  const navigate = useNavigate({ from: "/posture" });
  return useCallback(
    (part, what = "some") =>
      void navigate({
        search: (old) => compact(what === "all" ? part : { ...old, ...part }),
        replace: what === "some",
      }),
    [navigate],
  );
}

function Views({ view }: { view: PostureView }) {
  const { t } = useTranslation();
  return (
    <Tabs label={t("posture.title")}>
      {postureViews.map((name) => (
        <Link key={name} to="/posture" search={name === "sets" ? {} : { view: name }} {...tab(name === view)}>
          {t(`posture.views.${name}`)}
        </Link>
      ))}
    </Tabs>
  );
}

/** Where one is inside. */
function Where({ search }: { search: PostureSearch }) {
  const { t } = useTranslation();
  const { data } = useQuery(benchmarksQuery);
  if (search.set === undefined && search.asset === undefined) return null;
  const set = data?.sets.find(({ id }) => id === search.set);
  const inside = search.asset === undefined ? (set?.title ?? search.set ?? "") : assetOf(search.asset).name;
  const up = search.asset === undefined ? "sets" : "assets";
  return (
    <Path
      steps={[
        <Link key="up" to="/posture" search={up === "sets" ? {} : { view: up }}>
          {t(`posture.views.${up}`)}
        </Link>,
        <Line key="inside" text={inside} />,
      ]}
    />
  );
}
