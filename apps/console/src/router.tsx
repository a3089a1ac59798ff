import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { isUnauthenticated } from "./api/client.ts";
import { queryClient } from "./api/query-client.ts";
import { alertSearch } from "./features/alerts/search.ts";
import { containerSearch, imageSearch, scanSearch } from "./features/assets/search.ts";
import { clusterSearch } from "./features/clusters/search.ts";
import { findingSearch } from "./features/findings/search.ts";
import { networkSearch } from "./features/network/search.ts";
import { policySearch } from "./features/policies/search.ts";
import { postureSearch } from "./features/posture/search.ts";
import { sessionQuery } from "./features/session/session.ts";
import { parseSearch, stringifySearch, text, type Raw } from "./search.ts";
import { Shell } from "./shell/shell.tsx";
import { Failed } from "./ui/states.tsx";

const root = createRootRoute({ errorComponent: ({ error, reset }) => <Failed error={error} retry={reset} /> });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: (raw: Raw): { next?: string | undefined } => ({ next: text(raw["next"], 2048) }),
  component: lazyRouteComponent(() => import("./features/session/login-page.tsx"), "LoginPage"),
});

/** Everything that needs a session. */
const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  component: Shell,
  beforeLoad: async ({ location }) => {
    try {
      await queryClient.ensureQueryData(sessionQuery);
    } catch (error) {
      if (!isUnauthenticated(error)) throw error;
      throw redirect({ to: "/login", search: location.href === "/" ? {} : { next: location.href } });
    }
  },
});

const overview = createRoute({
  getParentRoute: () => app,
  path: "/",
  component: lazyRouteComponent(() => import("./features/overview/overview-page.tsx"), "OverviewPage"),
});
const alerts = createRoute({
  getParentRoute: () => app,
  path: "/alerts",
  validateSearch: alertSearch,
  component: lazyRouteComponent(() => import("./features/alerts/alerts-page.tsx"), "AlertsPage"),
});
const findings = createRoute({
  getParentRoute: () => app,
  path: "/findings",
  validateSearch: findingSearch,
  component: lazyRouteComponent(() => import("./features/findings/findings-page.tsx"), "FindingsPage"),
});
const assets = createRoute({
  getParentRoute: () => app,
  path: "/assets",
  beforeLoad: ({ location }) => {
    if (location.pathname === "/assets") throw redirect({ to: "/assets/containers" });
  },
});
const containers = createRoute({
  getParentRoute: () => assets,
  path: "/containers",
  validateSearch: containerSearch,
  component: lazyRouteComponent(() => import("./features/assets/containers-page.tsx"), "ContainersPage"),
});
const images = createRoute({
  getParentRoute: () => assets,
  path: "/images",
  validateSearch: imageSearch,
  component: lazyRouteComponent(() => import("./features/assets/images-page.tsx"), "ImagesPage"),
});
const scans = createRoute({
  getParentRoute: () => assets,
  path: "/scans",
  validateSearch: scanSearch,
  component: lazyRouteComponent(() => import("./features/assets/scans-page.tsx"), "ScansPage"),
});
const registries = createRoute({
  getParentRoute: () => assets,
  path: "/registries",
  component: lazyRouteComponent(() => import("./features/assets/registries-page.tsx"), "RegistriesPage"),
});
const clusters = createRoute({
  getParentRoute: () => app,
  path: "/clusters",
  component: lazyRouteComponent(() => import("./features/clusters/clusters-page.tsx"), "ClustersPage"),
});
const cluster = createRoute({
  getParentRoute: () => app,
  path: "/clusters/$cluster",
  validateSearch: clusterSearch,
  component: lazyRouteComponent(() => import("./features/clusters/cluster-page.tsx"), "ClusterPage"),
});
const network = createRoute({
  getParentRoute: () => app,
  path: "/network",
  validateSearch: networkSearch,
  component: lazyRouteComponent(() => import("./features/network/network-page.tsx"), "NetworkPage"),
});
const policies = createRoute({
  getParentRoute: () => app,
  path: "/policies",
  validateSearch: policySearch,
  component: lazyRouteComponent(() => import("./features/policies/policies-page.tsx"), "PoliciesPage"),
});
const posture = createRoute({
  getParentRoute: () => app,
  path: "/posture",
  validateSearch: postureSearch,
  component: lazyRouteComponent(() => import("./features/posture/posture-page.tsx"), "PosturePage"),
});
const health = createRoute({
  getParentRoute: () => app,
  path: "/health",
  component: lazyRouteComponent(() => import("./features/health/health-page.tsx"), "HealthPage"),
});
const settings = createRoute({
  getParentRoute: () => app,
  path: "/settings",
  component: lazyRouteComponent(() => import("./features/settings/settings-page.tsx"), "SettingsPage"),
});
const unknown = createRoute({
  getParentRoute: () => app,
  path: "$",
  component: lazyRouteComponent(() => import("./shell/not-found-page.tsx"), "NotFoundPage"),
});

const tree = root.addChildren([
  login,
  app.addChildren([
    overview,
    alerts,
    findings,
    assets.addChildren([containers, images, scans, registries]),
    clusters,
    cluster,
    network,
    policies,
    posture,
    health,
    settings,
    unknown,
  ]),
]);

export const router = createRouter({
  routeTree: tree,
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultErrorComponent: ({ error, reset }) => <Failed error={error} retry={reset} />,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
