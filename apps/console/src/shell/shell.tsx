import { Outlet, useRouter } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { keepFresh } from "../api/freshness.ts";
import { queryClient } from "../api/query-client.ts";
import { openStream, useStreamState } from "../api/stream.ts";
import { sessionQuery } from "../features/session/session.ts";
import { AlertIcon } from "../ui/icons.tsx";
import { useShortcuts } from "../ui/shortcuts.ts";
import { useGoKeys } from "./go-keys.ts";
import { Navigation } from "./navigation.tsx";
import classes from "./shell.module.css";

const loadPalette = async () => ({ default: (await import("./palette.tsx")).Palette });
const loadKeys = async () => ({ default: (await import("./keys.tsx")).Keys });
const Palette = lazy(loadPalette);
const Keys = lazy(loadKeys);

/** What is around every page of who is logged in. */
export function Shell() {
  const { t } = useTranslation();
  const [palette, setPalette] = useState(false);
  const [keys, setKeys] = useState(false);
  useEffect(() => {
    // Closed for good: the session may be over. Asking says so.
    const stopStream = openStream(() => void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey }));
    const stopFresh = keepFresh(queryClient);
    return () => {
      stopFresh();
      stopStream();
    };
  }, []);
  useEveryPageLoaded();
  useGoKeys();
  useShortcuts({ "mod+k": () => setPalette(true), "?": () => setKeys(true) });

  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#main">
        {t("app.skip")}
      </a>
      <Navigation openPalette={() => setPalette(true)} openKeys={() => setKeys(true)} />
      <main id="main" className={classes.main} tabIndex={-1}>
        <CutBanner />
        <div className={classes.content}>
          <Outlet />
        </div>
      </main>
      <Suspense>
        {palette && <Palette close={() => setPalette(false)} />}
        {keys && <Keys close={() => setKeys(false)} />}
      </Suspense>
    </div>
  );
}

/** Once the first page stands, the others are fetched too: they open at once, and while the server is away. */
function useEveryPageLoaded(): void {
  const router = useRouter();
  useEffect(() => {
    const timer = setTimeout(() => {
      const pages = Object.values(router.routesById).map((route) => router.loadRouteChunk(route));
      // What does not come now is fetched when it is asked for.
      void Promise.allSettled([...pages, loadPalette(), loadKeys()]);
    }, 1500);
    return () => clearTimeout(timer);
  }, [router]);
}

function CutBanner() {
  const { t } = useTranslation();
  const cut = useStreamState() === "cut";
  return (
    <div role="status">
      {cut && (
        <div className={classes.banner}>
          <AlertIcon size={14} />
          {t("stream.cutLong")}
        </div>
      )}
    </div>
  );
}
